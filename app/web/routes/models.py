"""`/models` and `/models/ID`: the models and the measurements of their heads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.evaluation.registry import EvaluatedRegistry
from app.evaluation.report import MARGIN, MIN_CASES, POSITIONS, Evidence, HeadRecord
from app.evaluation.seed_runs import SeedRuns
from app.evaluation.two_neighbour_task import TwoNeighbours, read_two_neighbours
from app.lesson.model_comparison import (
    curve_plot,
    head_count_text,
    loss_plot,
    relations_plot,
    trained_models,
)
from app.models import Model, UnknownModelError
from app.models.checkpoints.summary import PREDICTS_TEXT
from app.picture import quantise
from app.picture.charts import Bar, Interval, Series, bar_chart, interval_chart, line_chart
from app.web.context import AppContext

MAX_BARS = 32
"""Beyond this number of heads, the table scrolls and the plot shows the largest effects only."""


@dataclass(frozen=True)
class PositionCell:
    """Share of queries whose top word is at one position, with its heat level."""

    share: float
    level: int


@dataclass(frozen=True)
class HeadRow:
    """One head with the labels that it supports; `positions` are in the order of `POSITIONS`."""

    record: HeadRecord
    labels: Sequence[str]
    positions: Sequence[PositionCell]

    @property
    def name(self) -> str:
        return f"{self.record.layer}.{self.record.head}"


def router(app_context: AppContext) -> APIRouter:
    models, templates = app_context.models, app_context.templates
    two_neighbours = read_two_neighbours()

    async def list_page(request: Request) -> Response:
        return templates.response(request, "models.html", models_context(models, two_neighbours))

    async def detail_page(request: Request) -> Response:
        try:
            model = models[request.path_params["name"]]
        except UnknownModelError as error:
            raise HTTPException(404, str(error)) from error
        return templates.response(request, "model.html", model_context(models, model))

    routes = APIRouter(include_in_schema=False)
    routes.add_route("/models", list_page)
    routes.add_route("/models/{name}", detail_page)
    return routes


def models_context(models: EvaluatedRegistry, two_neighbours: TwoNeighbours) -> dict[str, object]:
    rows, seeds = trained_models(models), models.seed_runs
    evidence_of_trained = map(models.evidence_of, models.of_kind("trained"))
    return {
        "rows": rows,
        "lowest": min(rows, key=lambda row: row.loss),
        "megabytes": {row.card.id: models[row.card.id].megabytes for row in rows},
        "twins": models.of_kind("random"),
        "checkpoints": [
            (model, models.evidence_of(model)) for model in models.of_kind("checkpoint")
        ],
        "guesses": PREDICTS_TEXT,
        "seeds": seeds,
        "exact": two_neighbour_rows(two_neighbours),
        "exact_task": two_neighbours,
        "loss_plot": loss_plot(models),
        "relations_plot": relations_plot(rows),
        "curve_plot": curve_plot(rows),
        "seed_plot": seed_plot(seeds) if seeds else "",
        "evidence": next(filter(None, evidence_of_trained), None),
    }


def model_context(models: EvaluatedRegistry, model: Model) -> dict[str, object]:
    evidence = models.evidence_of(model)
    context: dict[str, object] = {
        "model": model,
        "card": model.card,
        "siblings": list(models),
        "trained": models.nearest_of_kind(model, "trained"),
        "places": POSITIONS,
        "margin": MARGIN,
        "fewest": MIN_CASES,
        "evidence": evidence,
        "megabytes": model.megabytes,
        "guesses": PREDICTS_TEXT,
    }
    if evidence:
        plotted_heads = largest_ablation_effects(evidence.heads)
        context |= {
            "heads": head_rows(evidence),
            "widest_half": max_interval_half_width(evidence),
            "has_special": any(head.special is not None for head in evidence.heads),
            "many": len(evidence.heads) > MAX_BARS,
            "n_bars": len(plotted_heads),
            "n_twins": max(len(each.untrained_rates) for each in evidence.baselines),
            "ablation_plot": ablation_plot(plotted_heads),
            "relation_plot": relation_plot(evidence),
        }
    return context


def head_rows(evidence: Evidence) -> list[HeadRow]:
    rows = []
    for head in evidence.heads:
        shares = np.array([head.top_word_shares[place] for place in POSITIONS])
        cells = [PositionCell(*cell) for cell in zip(shares, quantise(shares), strict=True)]
        rows.append(HeadRow(head, evidence.labels(head), cells))
    return rows


def max_interval_half_width(evidence: Evidence) -> float:
    """Return half the width of the widest confidence interval of any top-word share."""
    shares = [
        evidence.top_word_share(head, place) for head in evidence.heads for place in POSITIONS
    ]
    return max(high - low for low, high in (share.interval for share in shares)) / 2


def two_neighbour_rows(experiment: TwoNeighbours) -> list[tuple[int, str, list[float]]]:
    """Return rows of (n_heads, read-out, share with both neighbours right for each seed)."""
    rows: dict[tuple[int, str], list[float]] = {}
    for outcome in experiment.outcomes:
        rows.setdefault((outcome.n_heads, outcome.read_out), []).append(outcome.both)
    return [(*key, shares) for key, shares in rows.items()]


def seed_plot(seeds: SeedRuns) -> str:
    """Plot the runs of all seeds; runs with as many heads share a name and a line style."""
    head_counts = sorted({run.n_heads for run in seeds.runs})
    series = [
        Series(
            head_count_text(run.n_heads),
            [(point.step, point.loss) for point in run.curve],
            kind=head_counts.index(run.n_heads),
        )
        for run in seeds.runs
    ]
    return line_chart(series, x_label="steps", y_label="validation loss, nats")


def largest_ablation_effects(heads: Sequence[HeadRecord]) -> list[HeadRecord]:
    """Return the ablated heads; of more than `MAX_BARS` those that change the loss most."""
    measured = [head for head in heads if head.ablation is not None]
    largest = sorted(measured, key=lambda head: -abs(head.ablation or 0.0))[:MAX_BARS]
    return [head for head in measured if head in largest]


def ablation_plot(heads: Sequence[HeadRecord]) -> str:
    return bar_chart(
        [
            Bar(f"{head.layer}.{head.head}", head.ablation)
            for head in heads
            if head.ablation is not None
        ]
    )


def relation_plot(evidence: Evidence) -> str:
    return interval_chart(
        [
            Interval(
                case.finding.label,
                case.finding.test.rate,
                *case.finding.test.interval,
                (case.baselines.offset_share.rate, max(case.baselines.untrained_rates)),
                case.is_found,
            )
            for case in evidence.best_heads
        ]
    )

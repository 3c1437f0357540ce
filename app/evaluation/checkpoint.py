"""Measure the heads of a checkpoint on a treebank, and write heads.json."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.evaluation.ablation import Targets, add_ablation_losses, mask_tokens, next_token_targets
from app.evaluation.head_statistics import TokenisedTree, evaluate_heads, tokenise_trees
from app.evaluation.progress import ProgressBar
from app.evaluation.report import Evidence, evidence_file
from app.evaluation.treebank import Tree, read_trees
from app.models.atomic import atomic_write
from app.models.checkpoints.loader import read_checkpoint
from app.models.model import Model

N_UNTRAINED = 5
N_ABLATION_SENTENCES = 100
MASK_SEED = 0
"""Seed of the masked positions. Untrained models have the seeds 0, 1, 2 and so on."""

Item = TypeVar("Item")


class NotMeasurableError(ValueError):
    """A model cannot be measured. The message says why."""


@dataclass(frozen=True)
class Plan:
    """Treebank and extent of a measurement.

    Of two treebank files, heads and offsets are chosen on the first and everything is reported on
    the second; of one file, sentences are assigned alternately. At most `max_sentences` of each
    file are used, spread over it, or all if None. Losses without each head are measured on
    `n_ablation_sentences` of the reported sentences.
    """

    treebank_files: tuple[Path, ...]
    max_sentences: int | None = None
    n_untrained: int = N_UNTRAINED
    n_ablation_sentences: int = N_ABLATION_SENTENCES
    treebank_name: str = ""
    licence: str = ""

    @property
    def treebank(self) -> str:
        """Name of the treebank, by default that of its files."""
        return self.treebank_name or " and ".join(file.stem for file in self.treebank_files)


def measure_checkpoint(folder: Path, plan: Plan) -> Evidence:
    """Measure a checkpoint, and write the evidence to heads.json in its folder.

    Raises `CheckpointError`, `NotMeasurableError`.
    """
    dev_trees, test_trees = dev_test_split(plan)
    model = read_checkpoint(folder)
    (dev, _), (test, left_out) = (
        tokenise_trees(trees, model.tokenizer, model.card.max_tokens)
        for trees in (dev_trees, test_trees)
    )
    if not dev or not test:
        raise NotMeasurableError(
            f"{plan.treebank} has too few sentences that {model.card.id} can read: {len(dev)} to"
            f" choose heads and {len(test)} to report. Raise --sentences, or use another treebank."
        )
    evidence = build_evidence(model, plan, dev, test, left_out)
    write_evidence(folder, evidence)
    return evidence


def dev_test_split(plan: Plan) -> tuple[list[Tree], list[Tree]]:
    """Return the sentences on which heads are chosen, and those that are reported.

    Raises `NotMeasurableError`.
    """
    if not 1 <= len(plan.treebank_files) <= 2:
        raise NotMeasurableError(
            "--treebank takes one file or two: one to choose heads, one to report"
        )
    trees = [evenly_spaced(read_treebank(file), plan.max_sentences) for file in plan.treebank_files]
    return (trees[0][::2], trees[0][1::2]) if len(trees) == 1 else (trees[0], trees[1])


def read_treebank(file: Path) -> list[Tree]:
    """Read a treebank. Raises `NotMeasurableError`."""
    try:
        return list(read_trees(file))
    except UnicodeDecodeError as error:
        raise NotMeasurableError(f"{file} is not text in UTF-8: {error}") from error
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise NotMeasurableError(f"{error}. Treebanks must be in CoNLL-U format.") from error


def evenly_spaced(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return at most `limit` items, evenly spaced, because a treebank is sorted by genre."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]


def build_evidence(
    model: Model,
    plan: Plan,
    dev: Sequence[TokenisedTree],
    test: Sequence[TokenisedTree],
    left_out: int,
) -> Evidence:
    """Measure a model on both parts; `left_out` sentences of the second could not be used."""
    ablation_trees = evenly_spaced(test, plan.n_ablation_sentences)
    targets = targets_of(model, ablation_trees)
    n_heads = model.card.n_layers * model.card.n_heads
    n_passes = (1 + plan.n_untrained) * (len(dev) + len(test)) + (1 + n_heads) * len(targets)
    with ProgressBar(n_passes) as progress:
        evaluation = evaluate_heads(model.transformer, dev, test, range(plan.n_untrained), progress)
        heads = evaluation.heads
        if targets:
            heads = add_ablation_losses(model.transformer, heads, targets, progress)
    return Evidence(
        model=model.card.id,
        weights_sha256=model.weights_sha256,
        treebank=plan.treebank,
        licence=plan.licence,
        sentences=len(test),
        left_out=left_out,
        words=evaluation.words,
        command=reproduce_command(model, plan),
        heads=heads,
        baselines=evaluation.baselines,
        untrained_top_shares=evaluation.untrained_top_shares,
        ablation_text=ablation_text(model, len(targets)),
    )


def targets_of(model: Model, test: Sequence[TokenisedTree]) -> list[Targets]:
    """Return the tokens to predict, none if the model predicts nothing."""
    rng, mask_id = np.random.default_rng(MASK_SEED), model.tokenizer.mask_token_id
    if model.card.predicts == "next":
        targets = [next_token_targets(np.array(each.ids)) for each in test]
    elif model.card.predicts == "hidden" and mask_id is not None:
        targets = [
            mask_tokens(np.array(each.ids), each.content_indices, mask_id, rng) for each in test
        ]
    else:
        return []
    # A single target has no interval.
    return targets if sum(len(each.positions) for each in targets) > 1 else []


def ablation_text(model: Model, n_sentences: int) -> str:
    """Describe the text on which losses were measured, "" if there was none."""
    if not n_sentences:
        return ""
    objectives = {
        "hidden": f"15 % of their tokens hidden by {model.tokenizer.mask_token}",
        "next": "every token guessed from those before it",
    }
    return f"{n_sentences} of the reported sentences, {objectives[model.card.predicts]}"


def reproduce_command(model: Model, plan: Plan) -> str:
    """Return the command that measures the model again, without folders of this machine."""
    defaults = Plan(plan.treebank_files)
    options = []
    for option, field in {
        "--sentences": "max_sentences",
        "--twins": "n_untrained",
        "--ablations": "n_ablation_sentences",
        "--name": "treebank_name",
        "--licence": "licence",
    }.items():
        if getattr(plan, field) != getattr(defaults, field):
            options += [option, str(getattr(plan, field))]
    files = [file.name for file in plan.treebank_files]
    words = ["python", "-m", "app", "checkpoint", "measure", model.card.id, "--treebank"]
    return shlex.join([*words, *files, *options])


def write_evidence(folder: Path, evidence: Evidence) -> None:
    file = evidence_file(folder)
    try:
        with atomic_write(file) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be written: {error.strerror or error}") from error

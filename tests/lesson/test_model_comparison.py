import pytest

from app.evaluation.registry import EvaluatedRegistry
from app.lesson.model_comparison import (
    curve_plot,
    head_count_text,
    leading_models,
    loss_plot,
    relations_plot,
    trained_models,
)


def test_trained_models_are_compared_and_no_others(models):
    compared = trained_models(models)
    assert [each.card.id for each in compared] == [f"headwise-h{n}" for n in (1, 2, 4, 8)]
    for each in compared:
        assert each.loss == models[each.card.id].card.training.validation_loss
        assert list(each.seed_losses) == list(models.seed_runs.losses(each.card.n_heads))
        evidence = models.evidence_of(models[each.card.id])
        assert list(each.relations_found) == list(evidence.relations_found)
        assert each.divisor**2 == pytest.approx(128 / each.card.n_heads)


def test_the_two_best_models_lead_by_the_difference_of_their_losses(models):
    losses = {model.card.training.validation_loss: model for model in models.of_kind("trained")}
    (lowest, first), (second_lowest, second) = sorted(losses.items())[:2]
    leaders = leading_models(models)
    assert (leaders.first.card, leaders.second.card) == (first.card, second.card)
    assert leaders.lead == pytest.approx(second_lowest - lowest)
    assert leaders.seed_spread == models.seed_runs.widest_spread


def test_no_model_leads_alone_or_without_runs_from_several_seeds(models):
    assert leading_models(EvaluatedRegistry(models, {})) is None
    one = EvaluatedRegistry([models["headwise-h4"]], {}, models.seed_runs)
    assert leading_models(one) is None


def test_the_plot_of_losses_names_its_runs_and_shows_each(models):
    plot = loss_plot(models)
    assert "6,000 steps, seeds 0, 1, 2" in plot
    assert "30,000 steps, seed 0" in plot
    assert plot.count("<circle") == 4 + 12
    without = loss_plot(EvaluatedRegistry(models, {}))
    assert "seeds" not in without
    assert without.count("<circle") == 4
    assert loss_plot(EvaluatedRegistry([], {})) == ""


@pytest.mark.parametrize("plot", [relations_plot, curve_plot])
def test_every_plot_shows_each_model(models, plot):
    compared = trained_models(models)
    assert plot(compared).startswith("<svg")
    assert len({plot(compared[:n]) for n in range(1, 5)}) == 4


def test_one_head_is_singular():
    assert [head_count_text(n) for n in (1, 2)] == ["1 head", "2 heads"]

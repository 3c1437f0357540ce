import pytest

from app.lesson.model_comparison import (
    curve_plot,
    head_count_text,
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


@pytest.mark.parametrize("plot", [loss_plot, relations_plot, curve_plot])
def test_every_plot_shows_each_model(models, plot):
    compared = trained_models(models)
    assert plot(compared).startswith("<svg")
    assert len({plot(compared[:n]) for n in range(1, 5)}) == 4


def test_one_head_is_singular():
    assert [head_count_text(n) for n in (1, 2)] == ["1 head", "2 heads"]

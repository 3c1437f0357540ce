from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import LABS, Mark
from app.models.prediction import fill_mask
from app.picture import downsampled_thumbnail
from tests.lesson.labs.states import make_state
from tests.lesson.naive_transformer import naive_probabilities

head_count = LABS["budget"].run

FAMILY = [f"headwise-h{n}" for n in (1, 2, 4, 8)]


def test_costs_are_the_sizes_of_the_arrays(models):
    state = make_state(models)
    costs = head_count(state).costs
    assert [cost.trained_model.card.n_heads for cost in costs] == [1, 2, 4, 8]
    for cost in costs:
        model = models[cost.trained_model.card.id]
        layer = model.transformer.layers[0].attention
        arrays = (layer.qkv, layer.qkv_bias, layer.output, layer.output_bias)
        assert cost.attention_parameters == sum(array.size for array in arrays) == 66_048
        trace = model.run(state.sentence).trace(0)
        assert cost.cells == trace.weights.size
        assert cost.multiplications == trace.Q.size * 6 + trace.weights.size * layer.d_head
        assert cost.chosen == (model.card.id == "headwise-h4")


def test_an_untrained_model_marks_the_row_of_its_number_of_heads(models):
    costs = head_count(make_state(models, "headwise-h2-random")).costs
    assert [cost.chosen for cost in costs] == [False, True, False, False]


def test_a_checkpoint_marks_no_row(checkpoint_models):
    lab = head_count(make_state(checkpoint_models, "bert", "The cat sat"))
    assert not any(cost.chosen for cost in lab.costs)
    assert lab.divisor == pytest.approx(np.sqrt(checkpoint_models["bert"].card.d_head))


def test_without_the_divisor_maps_and_entropies_change(models):
    divided, undivided = (
        head_count(make_state(models, controls={"unscaled": unscaled}))
        for unscaled in (False, True)
    )
    assert divided.entropies == undivided.entropies
    for head, (with_divisor, without) in enumerate(divided.entropies):
        assert divided.heads[head].mean_entropy == pytest.approx(with_divisor)
        assert undivided.heads[head].mean_entropy == pytest.approx(without)
        assert without < with_divisor


class TestModels:
    def test_each_trained_model_shows_the_maps_of_all_its_heads(self, models):
        state = make_state(models, layer=1, controls={"unscaled": True})
        shown = head_count(state).models
        assert [each.card.id for each in shown] == FAMILY
        assert [each.chosen for each in shown] == [False, False, True, False]
        for each in shown:
            of_model = make_state(models, each.card.id, layer=1, controls={"unscaled": True})
            assert each.thumbnails == [downsampled_thumbnail(each) for each in of_model.maps]
            assert len(each.thumbnails) == each.card.n_heads

    @pytest.mark.parametrize(
        ("model", "text"), [("headwise-h4", "She opened the door"), ("bert", "She opened it")]
    )
    def test_each_model_guesses_the_hidden_word(self, checkpoint_models, model, text):
        result = head_count(make_state(checkpoint_models, model, text))
        assert result.hidden_text == text.replace("opened", "[MASK]")
        tokenizer = checkpoint_models["headwise-h4"].tokenizer
        ids = [token.id for token in tokenizer.sentence(text).tokens]
        target, ids[1] = ids[1], tokenizer.mask_token_id
        for each in result.models:
            asked = checkpoint_models[each.card.id]
            (expected,) = fill_mask(asked, tokenizer.sentence(result.hidden_text), top=3)
            assert each.guess.top_tokens == expected.guesses
            probabilities = naive_probabilities(asked, ids, 1)
            assert each.guess.probability == pytest.approx(probabilities[target], rel=1e-3)
            better = sum(bool(p > probabilities[target]) for p in probabilities)
            assert each.guess.rank == better + 1

    def test_a_word_outside_the_vocabulary_is_guessed_without_a_rank(self, models):
        result = head_count(make_state(models, text="a zyzzyva sat"))
        assert result.hidden_text == "a [MASK] sat"
        for each in result.models:
            assert (each.guess.rank, each.guess.probability) == (None, None)
            assert len(each.guess.top_tokens) == 3

    def test_a_special_token_is_not_hidden(self, checkpoint_models):
        result = head_count(make_state(checkpoint_models, "bert", "The cat sat", word=3))
        assert result.hidden_text is None
        assert [each.guess for each in result.models] == [None] * 4

    def test_a_sentence_that_is_too_long_has_neither_maps_nor_guesses(self, checkpoint_models):
        result = head_count(make_state(checkpoint_models, "gpt2", "the cat " * 25))
        assert result.hidden_text is None
        assert [each.maps for each in result.models] == [()] * 4


class TestBeforeTheAnswer:
    def test_neither_guesses_nor_losses_nor_costs_are_computed(self, models):
        hidden = head_count(replace(make_state(models), is_revealed=False))
        shown = head_count(make_state(models))
        assert [each.guess for each in hidden.models] == [None] * 4
        assert all(each.guess for each in shown.models)
        assert (hidden.losses, hidden.costs) == (None, None)
        assert shown.losses
        assert shown.costs
        assert [each.thumbnails for each in hidden.models] == [
            each.thumbnails for each in shown.models
        ]

    def test_the_models_that_decide_are_marked(self, models):
        marks = (Mark("model", model="headwise-h2"), Mark("model", model="headwise-h8"))
        state = replace(make_state(models), marks=marks)
        assert [each.decides for each in head_count(state).models] == [False, True, False, True]
        assert not any(each.decides for each in head_count(make_state(models)).models)


class TestLosses:
    def test_the_change_from_the_best_number_of_heads_to_the_most_has_its_interval(self, models):
        losses = head_count(make_state(models)).losses
        by_heads = {
            n: [run.validation_loss for run in models.seed_runs.runs if run.n_heads == n]
            for n in (1, 2, 4, 8)
        }
        means = {n: sum(each) / len(each) for n, each in by_heads.items()}
        assert losses.best_heads == min(means, key=means.get) == 4
        assert losses.most_heads == 8
        changes = [b - a for a, b in zip(by_heads[4], by_heads[8], strict=True)]
        middle = sum(changes) / 3
        deviation = sqrt(sum((change - middle) ** 2 for change in changes) / 2)
        # The quantile of Student's t with two degrees of freedom has a closed form.
        quantile = 0.95 / sqrt(2 * 0.975 * 0.025)
        half_width = quantile * deviation / sqrt(3)
        assert losses.difference.mean == pytest.approx(middle)
        assert losses.difference.low == pytest.approx(middle - half_width, abs=1e-5)
        assert losses.difference.high == pytest.approx(middle + half_width, abs=1e-5)
        assert not losses.difference.is_lower
        assert losses.n_seeds == 3

    def test_the_plot_says_which_runs_it_shows(self, models):
        plot = head_count(make_state(models)).losses.plot
        assert "6,000 steps, seeds 0, 1, 2" in plot
        assert "30,000 steps, seed 0" in plot
        assert plot.count("<circle") == 4 + 12

    def test_without_runs_from_several_seeds_no_losses_are_shown(self, models):
        state = replace(make_state(models), models=EvaluatedRegistry(models, {}))
        assert head_count(state).losses is None

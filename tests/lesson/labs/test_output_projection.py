import re
from dataclasses import replace

import numpy as np
import pytest

from app.lesson import LABS, Mark
from app.models.forward_cache import NO_FORWARD_CACHE
from app.models.prediction import fill_mask, predict_next_token
from app.picture import thumbnail
from tests.lesson.labs.states import TEXT, make_state
from tests.lesson.naive_attention import naive_layer

output_projection = LABS["mix"].run


def with_zeroed_output(model, heads):
    """The model with the rows of W_O zeroed that belong to some heads, as (layer, head)."""
    layers = list(model.transformer.layers)
    for layer, head in heads:
        attention = layers[layer].attention
        output, width = attention.output.copy(), attention.d_head
        output[head * width : (head + 1) * width] = 0
        layers[layer] = replace(layers[layer], attention=replace(attention, output=output))
    transformer = replace(model.transformer, layers=tuple(layers))
    return replace(model, trained_transformer=transformer, forward_cache=NO_FORWARD_CACHE)


def same_predictions(tokens, expected):
    return [each.text for each in tokens] == [each.text for each in expected] and [
        each.probability for each in tokens
    ] == pytest.approx([each.probability for each in expected], abs=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
def test_contributions_are_the_lengths_of_what_heads_add(models, layer):
    state = make_state(models, layer=layer, controls={"off": frozenset({(0, 1)})})
    expected = naive_layer(models["headwise-h4"], state.sentence, layer)
    assert [each.length for each in output_projection(state).contributions] == pytest.approx(
        np.linalg.norm(expected.contributions[:, 1], axis=-1).tolist(), abs=1e-4
    )


@pytest.mark.parametrize(
    ("layer", "expected"), [(0, [False, True] + [False] * 2), (1, [False] * 4)]
)
def test_a_head_is_off_in_its_own_layer_alone(models, layer, expected):
    state = make_state(models, layer=layer, controls={"off": frozenset({(0, 1)})})
    result = output_projection(state)
    assert [each.off for each in result.contributions] == expected
    assert [each.off for each in result.switches] == expected


def test_before_the_answer_only_maps_and_switches_are_computed(models):
    state = make_state(models, controls={"off": frozenset({(0, 1)})})
    hidden, shown = output_projection(replace(state, is_revealed=False)), output_projection(state)
    for name, value in vars(hidden).items():
        if name in ("switches", "predicts_tokens"):
            assert value == getattr(shown, name)
        elif name == "heads":
            assert [each.map for each in value] == [each.map for each in shown.heads]
        elif name == "row":
            assert value.html == shown.row.html
        else:
            assert value is None, name
            assert getattr(shown, name) is not None, name


def test_the_bar_that_decides_is_outlined(models):
    marks = (Mark("bar", head=2),)
    plot = output_projection(replace(make_state(models), marks=marks)).plot
    bars = re.findall(r'class="(bar-value[^"]*)"', plot)
    assert bars == ["bar-value", "bar-value", "bar-value is-marked", "bar-value"]
    assert "is-marked" not in output_projection(make_state(models)).plot


def test_the_mean_map_is_the_mean_of_the_maps_of_all_heads(models):
    state = make_state(models, text="She opened it")
    weights = naive_layer(models["headwise-h4"], state.sentence, 0).weights
    expected = thumbnail(sum(weights) / len(weights))
    assert output_projection(state).mean_map == expected


def test_the_length_of_a_split_word_is_the_mean_over_its_tokens(models):
    state = make_state(models, text="a zyzzyva sat")
    rows = [row for row, token in enumerate(state.sentence.tokens) if token.word == 1]
    assert len(rows) > 1
    expected = naive_layer(models["headwise-h4"], state.sentence, 0).contributions[:, rows]
    assert [each.length for each in output_projection(state).contributions] == pytest.approx(
        np.linalg.norm(expected, axis=-1).mean(axis=1).tolist(), abs=1e-4
    )


def test_one_output_number_is_the_sum_of_its_parts(models):
    state = make_state(models)
    value = output_projection(state).output_value
    total = sum(each.value for each in value.summands) + value.bias
    assert total == pytest.approx(value.total, abs=1e-4)
    assert abs(value.total) == pytest.approx(np.abs(state.trace.output[1]).max())
    expected = naive_layer(models["headwise-h4"], state.sentence, 0)
    assert [each.value for each in value.summands] == pytest.approx(
        expected.contributions[:, 1, value.dimension].tolist(), abs=1e-4
    )


def test_a_head_that_is_off_adds_nothing_to_the_output_number(models):
    state = make_state(models, controls={"off": frozenset({(0, 1), (1, 2)})})
    summands = output_projection(state).output_value.summands
    assert [each.value == 0 for each in summands] == [False, True, False, False]


class TestTokenPredictions:
    def test_the_chosen_word_is_masked_and_predicted(self, models):
        model = models["headwise-h4"]
        predictions = output_projection(make_state(models, word=5)).token_predictions
        assert not predictions.is_next
        assert predictions.text == "She opened the old wooden [MASK]"
        (expected,) = fill_mask(model, model.tokenizer.sentence(predictions.text))
        assert same_predictions(predictions.before, expected.guesses)
        assert predictions.after == predictions.before

    @pytest.mark.parametrize(
        "off", [[(0, 1)], [(1, 0)], [(0, 1), (1, 2)], [(0, 0), (0, 1), (0, 2), (0, 3)]]
    )
    def test_a_head_that_is_off_is_as_if_its_rows_of_the_output_matrix_were_zero(self, models, off):
        state = make_state(models, word=5, controls={"off": frozenset(off)})
        predictions = output_projection(state).token_predictions
        sentence = state.model.tokenizer.sentence(predictions.text)
        (expected,) = fill_mask(with_zeroed_output(models["headwise-h4"], off), sentence)
        assert same_predictions(predictions.after, expected.guesses)
        (unchanged,) = fill_mask(models["headwise-h4"], sentence)
        assert same_predictions(predictions.before, unchanged.guesses)
        assert not same_predictions(predictions.after, unchanged.guesses)

    def test_the_chosen_word_is_predicted_though_others_are_masked_too(self, models):
        model = models["headwise-h4"]
        state = make_state(models, text="The [MASK] opened the door", word=4)
        predictions = output_projection(state).token_predictions
        assert predictions.text == "The [MASK] opened the [MASK]"
        masks = fill_mask(model, model.tokenizer.sentence(predictions.text))
        assert same_predictions(predictions.before, masks[1].guesses)
        assert not same_predictions(predictions.before, masks[0].guesses)

    def test_a_causal_model_predicts_the_token_after_the_chosen_word(self, checkpoint_models):
        state = make_state(checkpoint_models, "gpt2", "The cat sat down", word=1)
        predictions = output_projection(state).token_predictions
        assert predictions.is_next
        assert predictions.text == "The cat"
        expected = predict_next_token(state.model, state.sentence, state.query_tokens[-1])
        assert same_predictions(predictions.before, expected.guesses)

    def test_a_special_token_is_not_masked(self, checkpoint_models):
        state = make_state(checkpoint_models, "bert", "The cat sat", word=3)
        assert state.query_word == "[CLS]"
        assert output_projection(state).token_predictions is None


def test_the_mean_map_shift_is_relative_to_the_output(models):
    state = make_state(models)
    expected = naive_layer(models["headwise-h4"], state.sentence, 0)
    values = expected.value_contributions
    mixed = (expected.weights.mean(axis=0) @ values).sum(axis=0)
    output = expected.contributions.sum(axis=0)
    bias = state.trace.W.output_bias
    shift = np.linalg.norm(mixed - output) / np.linalg.norm(output + bias)
    assert output_projection(state).mean_map_shift == pytest.approx(shift, abs=1e-4)


def test_weighting_changes_the_maps_and_nothing_else(models):
    unweighted = output_projection(make_state(models))
    state = make_state(models, controls={"weighted": True})
    weighted = output_projection(state)
    assert weighted.contributions == unweighted.contributions
    assert weighted.output_value == unweighted.output_value
    expected = naive_layer(models["headwise-h4"], state.sentence, 0)
    products = expected.weights * np.linalg.norm(expected.value_contributions, axis=-1)[:, None]
    shares = products / products.sum(axis=-1, keepdims=True)
    assert state.maps == pytest.approx(shares, abs=1e-5)
    assert [each.thumbnail for each in weighted.heads] == [thumbnail(each) for each in state.maps]
    assert weighted.heads[0].map != unweighted.heads[0].map


def test_a_head_that_is_off_keeps_its_map(models):
    state = make_state(models, text=TEXT, controls={"off": frozenset({(0, 1)})})
    on = make_state(models, text=TEXT)
    maps = [figure.map for figure in output_projection(state).heads]
    assert maps == [figure.map for figure in output_projection(on).heads]

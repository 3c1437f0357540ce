"""What maps show of a selection under the controls of a lab."""

import numpy as np
import pytest

from app.attention import Intervention
from tests.lesson.labs.states import TEXT, make_state

HIDDEN = {"hide_special_tokens": True}


@pytest.mark.parametrize(
    ("controls", "intervention"),
    [
        ({}, Intervention()),
        ({"causal": True}, Intervention(causal=True)),
        ({"unscaled": True}, Intervention(scaled=False)),
        ({"groups": 2}, Intervention(groups=2)),
        ({"off": frozenset({(0, 1)})}, Intervention(ablated_heads=frozenset({(0, 1)}))),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, dict) else "",
)
def test_maps_are_the_weights_of_the_layer_under_the_controls(models, controls, intervention):
    state = make_state(models, layer=1, controls=controls)
    expected = models["headwise-h4"].run(state.sentence, intervention=intervention).weights
    assert np.array_equal(state.maps, expected[1])
    for maps, weights in zip(state.all_maps, expected, strict=True):
        assert np.array_equal(maps, weights)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_are_renormalised_where_special_tokens_are_hidden(checkpoint_models, weighted):
    shown, hidden = (
        make_state(checkpoint_models, "bert", "The cat sat", controls=more | {"weighted": weighted})
        for more in ({}, HIDDEN)
    )
    inner = shown.maps[:, 1:-1, 1:-1]
    assert [token.text for token in hidden.tokens] == ["The", "cat", "sat"]
    assert inner.sum(axis=-1).max() < 0.99
    assert hidden.maps == pytest.approx(inner / inner.sum(axis=-1, keepdims=True), abs=1e-6)
    assert hidden.maps.sum(axis=-1) == pytest.approx(np.ones(hidden.maps.shape[:2]), abs=1e-5)
    for maps, own in zip(hidden.all_maps, shown.all_maps, strict=True):
        part = own[:, 1:-1, 1:-1]
        assert maps == pytest.approx(part / part.sum(axis=-1, keepdims=True), abs=1e-6)


def test_hidden_special_tokens_have_no_row_no_word_and_no_label(checkpoint_models):
    shown, hidden = (
        make_state(checkpoint_models, "bert", "The cat sat", word=1, controls=more)
        for more in ({}, HIDDEN)
    )
    assert shown.axis.labels == ["[CLS]", "The", "cat", "sat", "[SEP]"]
    assert hidden.axis.labels == ["The", "cat", "sat"]
    assert (shown.query_rows, hidden.query_rows) == ([2], [1])
    assert shown.query_tokens == hidden.query_tokens == [2]
    assert hidden.word_texts == ["The", "cat", "sat"]
    assert (len(shown.words), len(hidden.words)) == (5, 3)
    assert hidden.max_entropy == pytest.approx(np.log2(3))


def test_without_special_tokens_nothing_is_hidden(models):
    shown, hidden = make_state(models), make_state(models, controls=HIDDEN)
    assert shown.tokens == hidden.tokens
    assert hidden.maps == pytest.approx(shown.maps, abs=1e-6)


@pytest.mark.parametrize("word", range(6))
def test_the_displayed_words_stand_in_the_shuffled_order(models, word):
    state = make_state(models, word=word, controls={"shuffled": True})
    displayed = state.displayed
    words = TEXT.split()
    assert displayed.sentence.text.split() != words
    assert [words[index] for index in state.displayed_word_ids] == displayed.sentence.text.split()
    assert displayed.query_word == state.query_word == words[word]
    assert np.array_equal(displayed.maps, models["headwise-h4"].run(displayed.sentence).weights[0])


def test_displayed_words_are_those_of_every_token_of_a_split_word(models):
    state = make_state(models, text="a zyzzyva sat on it", word=0, controls={"shuffled": True})
    sentence = state.displayed.sentence
    texts = [state.sentence.words[word].text for word in state.displayed_word_ids]
    assert texts == [sentence.words[token.word].text for token in sentence.tokens]
    assert len(texts) > 5


def test_without_shuffling_the_state_itself_is_displayed(models):
    state = make_state(models)
    assert state.displayed is state
    assert state.displayed_word_ids == [0, 1, 2, 3, 4, 5]


def test_the_attention_of_the_chosen_word_is_its_row_of_each_map(models):
    state = make_state(models, word=3)
    rows, words = state.query_word_attention
    assert words == TEXT.split()
    assert np.array_equal(rows, state.maps[:, 3])


class TestAnotherModel:
    def test_has_the_same_words_and_controls(self, models):
        state = make_state(models, layer=1, controls={"causal": True})
        other = state.for_model(models["headwise-h1"])
        assert (other.model.card.id, other.layer, other.head) == ("headwise-h1", 1, 0)
        expected = models["headwise-h1"].run(state.sentence, intervention=Intervention(causal=True))
        assert np.array_equal(other.maps, expected.weights[1])

    def test_has_no_head_off_no_groups_and_no_cell(self, models):
        controls = {"off": frozenset({(0, 3)}), "groups": 2, "cell": (0, 1)}
        other = make_state(models, controls=controls).for_model(models["headwise-h1"])
        assert other.intervention == Intervention()
        assert other.controls.cell is None

    def test_is_the_state_itself_for_the_same_model(self, models):
        state = make_state(models)
        assert state.for_model(models["headwise-h4"]) is state

    def test_reads_the_text_in_its_own_tokens(self, checkpoint_models):
        state = make_state(checkpoint_models, "headwise-h4", "The cat sat", word=2)
        other = state.for_model(checkpoint_models["bert"])
        assert other.sentence.tokens[0].text == "[CLS]"
        assert (other.sentence.text, other.query_word) == ("The cat sat", "sat")

    def test_is_none_if_the_text_is_too_long(self, checkpoint_models):
        limit = checkpoint_models["bert"].card.max_tokens
        text = " ".join(["cat"] * (limit - 1))
        state = make_state(checkpoint_models, "headwise-h4", text)
        assert state.for_model(checkpoint_models["bert"]) is None

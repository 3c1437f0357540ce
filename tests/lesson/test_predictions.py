"""Every prediction's answer, computed a second way, on odd sentences above all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.predictions import TIE_TOLERANCE, PredictionResult, argmax_with_ties
from app.lesson.selection import Selection
from tests.lesson.naive_attention import naive_layer

words = st.sampled_from(["the", "cat", "sat", "because", "don't", "zyzzyva", ",", ".", "雪"])
sentences = st.one_of(
    st.lists(words, min_size=1, max_size=10).map(" ".join),
    st.sampled_from(["cat", "cat cat cat", "very " * 40, "floccinaucinihilipilification"]),
)


@st.composite
def prediction_inputs(draw, models, name):
    model = models[name]
    sentence = model.tokenizer.sentence(draw(sentences))
    selection = Selection(
        sentence,
        model,
        draw(st.integers(0, 1)),
        draw(st.integers(0, model.card.n_heads - 1)),
        draw(st.integers(0, len(sentence.words) - 1)),
    )
    return PredictionInput(selection)


def naive(inputs):
    return naive_layer(inputs.model, inputs.sentence, inputs.layer)


def checked_result(name, inputs):
    result = PREDICTIONS[name].compute(inputs)
    assert set(result.answers) <= set(result.choice_ids)
    assert len(set(result.choice_ids)) == len(result.choice_ids)
    assert set(result.values) == set(PREDICTIONS[name].placeholders)
    assert all(set(c.values) == set(PREDICTIONS[name].choice_placeholders) for c in result.choices)
    return result


@given(st.data())
def test_distinct_top_words(models, data):
    inputs = data.draw(prediction_inputs(models, "headwise-h8"))
    maps = naive(inputs).weights
    tops = []
    for head in maps:
        totals = dict.fromkeys(range(len(inputs.sentence.words)), 0.0)
        for query, row in zip(inputs.sentence.tokens, head, strict=True):
            if query.word == inputs.word:
                for key, weight in zip(inputs.sentence.tokens, row, strict=True):
                    totals[key.word] += float(weight)
        best = max(totals.values())
        tops.append({index for index, total in totals.items() if total >= best - 1e-5})
    result = checked_result("distinct_top_words", inputs)
    assert sorted(head for pick in result.top_words for head in pick.heads) == list(range(8))
    for pick in result.top_words:
        assert pick.word == inputs.sentence.words[pick.index].text
        assert all(pick.index in tops[head] for head in pick.heads)
    assert result.answers == (str(len(result.top_words)),)
    assert len(result.choices) == min(8, len(inputs.sentence.words))


@given(st.data(), st.sampled_from([1, 2, 4, 8]))
def test_largest_column(models, data, n_heads):
    inputs = data.draw(prediction_inputs(models, f"headwise-h{n_heads}"))
    maps = naive(inputs).weights
    totals = [sum(row[key] for row in maps[inputs.head]) for key in range(len(maps[0]))]
    result = checked_result("largest_column", inputs)
    for answer in result.answers:
        assert totals[int(answer)] == pytest.approx(max(totals), abs=1e-4)
    assert float(result.values["total"]) == pytest.approx(max(totals), abs=0.006)
    assert len(result.choices) == len(inputs.sentence.tokens)


@given(st.data(), st.sampled_from([1, 2, 4, 8]))
def test_heads_changed(models, data, n_heads):
    inputs = data.draw(prediction_inputs(models, f"headwise-h{n_heads}"))
    result = checked_result("heads_changed", inputs)
    alone = len(inputs.sentence.tokens) == 1
    assert result.answers == ("0" if alone else str(n_heads),)
    assert result.values["sliced"] == ("0" if alone else "1")


def test_a_tie_has_several_answers_and_is_marked():
    assert argmax_with_ties(np.array([0.5, 0.5 + TIE_TOLERANCE / 2, 0.1])) == ("0", "1")
    assert PredictionResult(("0", "1"), ()).is_tie
    assert not PredictionResult(("0",), ()).is_tie


def test_a_prediction_about_another_model_uses_layer_and_head_of_that_model(models):
    model = models["headwise-h8"]
    selection = Selection(model.tokenizer.sentence("The cat sat down"), model, 1, 7, 0)
    inputs = PredictionInput(selection.with_model(models["headwise-h2"]))
    totals = naive(inputs).weights[1].sum(axis=0)
    assert PREDICTIONS["largest_column"].compute(inputs).answers == (str(int(totals.argmax())),)

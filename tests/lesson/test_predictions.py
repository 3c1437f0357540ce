"""Every prediction's truth, computed a second way, on odd sentences above all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.predictions import TIE_TOLERANCE, PredictionResult, argmax_with_ties
from app.lesson.selection import Selection
from app.lesson.shuffle import shuffle_words

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


def attention_by_loops(view):
    """Weights of the layer and everything behind them, by loops and in double precision."""
    trace = view.model.run(view.sentence).trace(view.layer)
    W, X = trace.W, trace.X.astype(np.float64)
    maps, contributions = [], []
    for head in range(W.n_heads):
        cut = slice(head * W.d_head, (head + 1) * W.d_head)
        q = X @ W.query[:, cut] + W.query_bias[cut]
        k = X @ W.key[:, cut] + W.key_bias[cut]
        v = X @ W.value[:, cut] + W.value_bias[cut]
        rows = []
        for query in q:
            exponentials = np.exp([query @ key / np.sqrt(W.d_head) for key in k])
            rows.append(exponentials / exponentials.sum())
        maps.append(np.array(rows))
        contributions.append(np.array(rows) @ v @ W.output[cut])
    return np.array(maps), np.array(contributions)


def checked_result(name, view):
    truth = PREDICTIONS[name].compute(view)
    assert set(truth.answers) <= set(truth.choice_ids)
    assert len(set(truth.choice_ids)) == len(truth.choice_ids)
    assert set(truth.values) == set(PREDICTIONS[name].placeholders)
    assert all(set(c.values) == set(PREDICTIONS[name].choice_placeholders) for c in truth.choices)
    return truth


@given(st.data())
def test_distinct_top_words(models, data):
    view = data.draw(prediction_inputs(models, "headwise-h8"))
    maps, _ = attention_by_loops(view)
    tops = []
    for head in maps:
        totals = dict.fromkeys(range(len(view.sentence.words)), 0.0)
        for query, row in zip(view.sentence.tokens, head, strict=True):
            if query.word == view.word:
                for key, weight in zip(view.sentence.tokens, row, strict=True):
                    totals[key.word] += float(weight)
        best = max(totals.values())
        tops.append({index for index, total in totals.items() if total >= best - 1e-5})
    truth = checked_result("distinct_top_words", view)
    assert sorted(head for pick in truth.top_words for head in pick.heads) == list(range(8))
    for pick in truth.top_words:
        assert pick.word == view.sentence.words[pick.index].text
        assert all(pick.index in tops[head] for head in pick.heads)
    assert truth.answers == (str(len(truth.top_words)),)
    assert len(truth.choices) == min(8, len(view.sentence.words))


@given(st.data(), st.sampled_from([1, 2, 4, 8]))
def test_largest_column(models, data, n_heads):
    view = data.draw(prediction_inputs(models, f"headwise-h{n_heads}"))
    maps, _ = attention_by_loops(view)
    totals = [sum(row[key] for row in maps[view.head]) for key in range(len(maps[0]))]
    truth = checked_result("largest_column", view)
    for answer in truth.answers:
        assert totals[int(answer)] == pytest.approx(max(totals), abs=1e-4)
    assert float(truth.values["total"]) == pytest.approx(max(totals), abs=0.006)
    assert len(truth.choices) == len(view.sentence.tokens)


@given(st.data(), st.sampled_from([1, 2, 4, 8]))
def test_heads_changed(models, data, n_heads):
    view = data.draw(prediction_inputs(models, f"headwise-h{n_heads}"))
    truth = checked_result("heads_changed", view)
    alone = len(view.sentence.tokens) == 1
    assert truth.answers == ("0" if alone else str(n_heads),)
    assert truth.values["sliced"] == ("0" if alone else "1")


@given(st.data())
def test_cells_and_parameters(models, data):
    view = data.draw(prediction_inputs(models, "headwise-h8"))
    maps, _ = attention_by_loops(view)
    (answer,) = checked_result("cells_and_parameters", view).answers
    assert answer == f"{maps.size}x1"
    two_heads, eight_heads = (
        models[f"headwise-h{h}"].transformer.layers[0].attention for h in (2, 8)
    )
    names = ("qkv", "qkv_bias", "output", "output_bias")
    assert sum(getattr(two_heads, n).size for n in names) == sum(
        getattr(eight_heads, n).size for n in names
    )


@given(st.data())
def test_largest_contribution(models, data):
    view = data.draw(prediction_inputs(models, "headwise-h4"))
    _, contributions = attention_by_loops(view)
    lengths = [
        np.mean(
            [
                np.sqrt((head[i] ** 2).sum())
                for i, token in enumerate(view.sentence.tokens)
                if token.word == view.word
            ]
        )
        for head in contributions
    ]
    truth = checked_result("largest_contribution", view)
    for answer in truth.answers:
        assert lengths[int(answer)] == pytest.approx(max(lengths), abs=1e-4)
    assert float(truth.values["length"]) == pytest.approx(max(lengths), abs=0.006)


@given(st.data())
def test_keeps_previous(models, data):
    view = data.draw(prediction_inputs(models, "headwise-h8"))
    truth = checked_result("keeps_previous", view)
    shuffled_sentence = shuffle_words(view.sentence, view.model).sentence
    shuffled_view = PredictionInput(Selection(shuffled_sentence, view.model, view.layer, 0, 0))
    assert sorted(w.text for w in shuffled_view.sentence.words) == sorted(
        w.text for w in view.sentence.words
    )
    scores = []
    for maps, _ in (attention_by_loops(view), attention_by_loops(shuffled_view)):
        n = len(maps[0])
        scores.append([sum(m[i, i - 1] for i in range(1, n)) / max(n - 1, 1) for m in maps])
    before, after = scores
    top = int(truth.values["top"])
    assert before[top] == pytest.approx(max(before), abs=1e-4)
    change = abs(after[top] - before[top])
    if abs(change - 0.1) > 1e-4:
        assert truth.answers == ("yes" if change < 0.1 else "no",)


@given(st.data())
def test_cached_numbers(models, data):
    sizes = {"layers": 80, "heads": 64, "kv_heads": 8, "d_head": 128}
    view = replace(data.draw(prediction_inputs(models, "headwise-h8")), options=sizes)
    keys_and_values = 0
    for _layer in range(80):
        for _group in range(8):
            keys_and_values += 2 * 128 * len(view.sentence.tokens)
    assert checked_result("cached_numbers", view).answers == (str(keys_and_values),)


def test_a_tie_has_several_answers_and_is_marked():
    assert argmax_with_ties(np.array([0.5, 0.5 + TIE_TOLERANCE / 2, 0.1])) == ("0", "1")
    assert PredictionResult(("0", "1"), ()).is_tie
    assert not PredictionResult(("0",), ()).is_tie


@pytest.mark.parametrize("text", ["cat", "cat cat cat"])
def test_words_that_cannot_be_reordered_stay(models, text):
    model = models["headwise-h1"]
    assert shuffle_words(model.tokenizer.sentence(text), model).sentence.text == text


@given(st.permutations(["one", "two", "three", "four"]))
def test_shuffling_changes_the_order_and_is_the_same_every_time(models, order):
    model = models["headwise-h1"]
    sentence = model.tokenizer.sentence(" ".join(order))
    result = shuffle_words(sentence, model)
    assert result.sentence.text != sentence.text
    assert result.sentence.text == shuffle_words(sentence, model).sentence.text
    assert result.sentence.text.split() == [order[place] for place in result.permutation]

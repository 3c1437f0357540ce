"""Which heads change the word they read most, computed a second time by loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import LABS
from app.lesson.predictions.changed_top_words import TopWordChange, choice_id, count_ranges
from app.picture import format_weight
from tests.lesson.labs.states import make_state
from tests.lesson.naive_maps import (
    expected_cause,
    is_close,
    layer_of,
    naive_maps,
    naive_sliced_maps,
    naive_word_rows,
    name_of,
    top_of,
)
from tests.lesson.predictions.inputs import (
    make_inputs,
    prediction_inputs,
    question_and_answer,
    reasons_of,
)

MODELS = [f"headwise-h{n_heads}" for n_heads in (1, 2, 4, 8)]


def nudged(inputs, X):
    """Return X with 1 added to the first inputs, at most 16, that slicing gives a middle head."""
    d_model, n_heads = X.shape[1], inputs.model.card.n_heads
    head = n_heads // 2
    first, end = head * d_model // n_heads, (head + 1) * d_model // n_heads
    X = X.copy()
    for token, each in enumerate(inputs.sentence.tokens):
        if each.word == inputs.word:
            for place in range(first, min(end, first + 16)):
                X[token, place] += 1
    return X, head, first, min(end, first + 16) - 1


def check(inputs):
    question, answer = question_and_answer("changed_top_words", inputs)
    W, X = layer_of(inputs)
    after, sliced_head, first, last = nudged(inputs, X)
    assert question.values == {
        "first_input": str(first),
        "last_input": str(last),
        "sliced_head": str(sliced_head),
    }
    cause = expected_cause(inputs)
    assert question.unanswerable == cause
    if cause:
        return None
    causal = inputs.model.card.causal
    pairs = [
        [naive_word_rows(inputs, maps(W, each, causal=causal)) for each in (X, after)]
        for maps in (naive_maps, naive_sliced_maps)
    ]
    moves = [
        max(
            abs(new - old)
            for pair in zip(*maps, strict=True)
            for old, new in zip(*pair, strict=True)
        )
        for maps in zip(*(naive_maps(W, each, causal=causal) for each in (X, after)), strict=True)
    ]
    noticed = answer.reasons[0]
    assert noticed.id == "notice"
    assert int(noticed.values["noticing"]) == sum(move > 1e-6 for move in moves)
    assert noticed.values["largest"] in {format_weight(max(moves) + e) for e in (-1e-5, 0, 1e-5)}
    if any(is_close(row) for pair in pairs for rows in pair for row in rows):
        return answer
    (before, changed), (sliced_before, sliced_after) = pairs
    tops = [(top_of(old), top_of(new)) for old, new in zip(before, changed, strict=True)]
    heads = [head for head, (old, new) in enumerate(tops) if old != new]
    (right,) = answer.right
    bounds = [int(number) for number in right.split("-")]
    assert bounds[0] <= len(heads) <= bounds[-1]
    assert answer.values == {"count": str(len(heads))}
    expected = [
        {
            "head": str(head),
            "before": name_of(inputs, tops[head][0]),
            "before_weight": format_weight(before[head][tops[head][0]]),
            "after": name_of(inputs, tops[head][1]),
            "after_weight": format_weight(changed[head][tops[head][1]]),
        }
        for head in heads
    ]
    said = [dict(each.values) for each in answer.reasons if each.id == "changes"]
    for values, wanted in zip(said, expected[:2], strict=True):
        assert {k: v for k, v in values.items() if "weight" not in k} == {
            k: v for k, v in wanted.items() if "weight" not in k
        }
    reasons = reasons_of(answer)
    assert ("none" in reasons) == (not heads)
    more = {3: "one_more"}.get(len(heads), "more" if len(heads) > 3 else "")
    assert {"one_more", "more"} & set(reasons) == ({more} if more else set())
    if more:
        assert reasons[more] == {"n_more": str(len(heads) - 2)}
    old, new = top_of(sliced_before[sliced_head]), top_of(sliced_after[sliced_head])
    if old == new:
        assert reasons["sliced_keeps"] == {"before": name_of(inputs, old)}
    else:
        assert reasons["sliced_changes"]["before"] == name_of(inputs, old)
        assert reasons["sliced_changes"]["after"] == name_of(inputs, new)
    marks = [(mark.kind, mark.head) for mark in answer.marks]
    assert marks == [*(("head", head) for head in heads), ("sliced-head", sliced_head)]
    return answer


@given(st.data())
def test_the_answer_and_reasons_of_the_shipped_models(models, data):
    check(data.draw(prediction_inputs(models, MODELS)))


@given(st.data())
def test_the_answer_and_reasons_of_checkpoints(checkpoint_models, data):
    check(data.draw(prediction_inputs(checkpoint_models, ["bert", "gpt2"])))


def test_reasons_and_marks_are_those_of_the_maps_that_the_lab_draws(models):
    text = "The cat sat down"
    answer = check(make_inputs(models, "headwise-h8", text, 2))
    lab = LABS["nudge"].run(make_state(models, "headwise-h8", text, word=2))
    changed = [each for each in lab.projected if each.changes_top_word]
    assert [mark.head for mark in answer.marks if mark.kind == "head"] == [
        each.head for each in changed
    ]
    said = [reason.values for reason in answer.reasons if reason.id == "changes"]
    assert said == [
        {
            "head": str(each.head),
            "before": each.before.top_word.word,
            "before_weight": format_weight(each.before.top_word.weight),
            "after": each.top_word.word,
            "after_weight": format_weight(each.top_word.weight),
        }
        for each in changed[:2]
    ]


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4, 5, 8, 12, 16, 32])
def test_choices_cover_every_number_of_heads_once(n_heads):
    ranges = count_ranges(n_heads)
    assert [count for each in ranges for count in each] == list(range(n_heads + 1))
    assert len(ranges) <= 5
    assert all(len(each) for each in ranges)


def test_ranges_of_eight_heads():
    assert [choice_id(each) for each in count_ranges(8)] == ["0", "1", "2-3", "4-5", "6-8"]


def test_a_tie_before_or_after_leaves_open_whether_a_head_changes():
    def change(before, after):
        return TopWordChange(0, (np.array(before), np.array(after))).possible

    assert change([0.6, 0.4], [0.4, 0.6]) == {True}
    assert change([0.6, 0.4], [0.7, 0.3]) == {False}
    assert change([0.5, 0.5], [0.7, 0.3]) == {True, False}
    assert change([0.5, 0.5, 0.0], [0.0, 0.1, 0.9]) == {True}

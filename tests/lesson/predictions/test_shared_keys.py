"""Which heads keep their word with one set of keys, computed a second time by loops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson.predictions.shared_keys import count_ranges
from tests.lesson.naive_pooling import naive_rows
from tests.lesson.predictions.inputs import (
    make_inputs,
    prediction_inputs,
    question_and_answer,
    reasons_of,
)

SENTENCE = "The trophy does not fit in the suitcase because it is too big"


def is_close(row):
    """Whether the two largest weights differ too little to trust single precision."""
    *_, second, first = sorted(row)
    return first - second < 1e-4


@given(st.data())
def test_a_head_keeps_its_word_if_the_mean_of_all_keys_gives_the_same(models, data):
    names = [f"headwise-h{n_heads}" for n_heads in (1, 2, 4, 8)]
    inputs = data.draw(prediction_inputs(models, names))
    question, answer = question_and_answer("shared_keys", inputs)
    if inputs.model.card.n_heads == 1:
        assert question.unanswerable == "one_head"
        return
    if len(inputs.sentence.words) == 1:
        assert question.unanswerable == "one_word"
        return
    before, after = naive_rows(inputs, is_pooled=False), naive_rows(inputs, is_pooled=True)
    if any(is_close(row) for row in before + after):
        return
    keeping, changing = [], []
    texts = [word.text for word in inputs.sentence.words]
    names = [f"{t} {i + 1}" if texts.count(t) > 1 else t for i, t in enumerate(texts)]
    for head, (old, new) in enumerate(zip(before, after, strict=True)):
        old_word, new_word = old.index(max(old)), new.index(max(new))
        if old_word == new_word:
            keeping.append((head, f"{head} ({names[old_word]})"))
        else:
            changing.append(f"{head} ({names[old_word]} → {names[new_word]})")
    assert answer.values["count"] == str(len(keeping))
    (right,) = answer.right
    bounds = [int(number) for number in right.split("-")]
    assert bounds[0] <= len(keeping) <= bounds[-1]
    reasons = reasons_of(answer)
    assert reasons.pop("mean_keys") == {}
    expected = {"kept": {"kept": ", ".join(text for _, text in keeping)}} if keeping else {}
    if not keeping:
        expected["none_kept"] = {}
    if changing:
        expected["changed"] = {"changed": ", ".join(changing)}
    else:
        expected["none_changed"] = {}
    assert reasons == expected
    assert [(mark.kind, mark.head) for mark in answer.marks] == [("head", h) for h, _ in keeping]


@pytest.mark.parametrize("n_heads", range(2, 65))
def test_every_count_is_in_one_choice(n_heads):
    counts = [count for each in count_ranges(n_heads) for count in each]
    assert counts == list(range(n_heads + 1))
    assert len(count_ranges(n_heads)) in (3, 4)


def test_eight_heads_have_few_many_half_and_more_than_half(models):
    question, _ = question_and_answer(
        "shared_keys", make_inputs(models, "headwise-h8", SENTENCE, 9)
    )
    assert question.choice_ids == ["0-2", "3", "4", "5-8"]
    assert [choice.values["value"] for choice in question.choices] == ["0–2", "3", "4", "5–8"]


@pytest.mark.parametrize(
    ("model", "text", "word", "cause"),
    [
        ("headwise-h1", "The cat sat", 1, "one_head"),
        ("headwise-h8", "cat", 0, "one_word"),
        ("headwise-h8", "Hello", 0, "one_word"),  # one word of several tokens
    ],
)
def test_a_question_that_makes_no_sense_says_why(models, model, text, word, cause):
    question, answer = question_and_answer("shared_keys", make_inputs(models, model, text, word))
    assert (question.unanswerable, answer) == (cause, None)


def test_the_first_word_of_a_causal_model_has_no_choice(checkpoint_models):
    first, second = (make_inputs(checkpoint_models, "gpt2", "The cat sat", i) for i in (0, 1))
    assert question_and_answer("shared_keys", first)[0].unanswerable == "reads_only_itself"
    assert question_and_answer("shared_keys", second)[1] is not None


def test_special_tokens_can_be_read_and_can_ask(checkpoint_models):
    for word in range(5):
        inputs = make_inputs(checkpoint_models, "bert", "The cat sat", word)
        assert question_and_answer("shared_keys", inputs)[1] is not None


def test_a_tie_makes_both_counts_right(models, monkeypatch):
    def tied(inputs, intervention):
        return [[1]] * 2 + [[1, 2] if intervention.groups else [1]] + [[0]] * 5

    def apart(inputs, intervention):
        return tied(inputs, intervention)[:3] + [[3] if intervention.groups else [0]] * 5

    inputs = make_inputs(models, "headwise-h8", SENTENCE, 9)
    monkeypatch.setattr("app.lesson.predictions.shared_keys.top_words", apart)
    _, answer = question_and_answer("shared_keys", inputs)
    assert (answer.right, answer.values["count"], answer.is_tie) == (("0-2", "3"), "2–3", True)

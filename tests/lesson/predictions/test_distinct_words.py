"""How many words heads read most, computed a second time by loops."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import LABS
from app.lesson.predictions.distinct_words import possible_counts
from app.models.registry import join_with_and
from app.picture import format_weight
from tests.lesson.labs.states import make_state
from tests.lesson.naive_maps import (
    expected_cause,
    is_close,
    layer_of,
    naive_maps,
    naive_word_rows,
    name_of,
    top_of,
)
from tests.lesson.naive_records import head_of, naive_places, read_record
from tests.lesson.predictions.inputs import make_inputs, prediction_inputs, question_and_answer

MODELS = [f"headwise-h{n_heads}" for n_heads in (1, 2, 4, 8)]


def expected_reasons(inputs, rows):
    """The reasons as (id, values), in order."""
    picks = [top_of(row) for row in rows]
    reasons = []
    if inputs.model.card.kind == "trained":
        record = read_record(inputs.model.card.id)
        n_words = len(inputs.sentence.words)
        for name, step in (("previous", -1), ("next", 1)):
            heads = [
                head
                for head in range(len(rows))
                if name in naive_places(record, head_of(record, inputs.layer, head))
            ]
            other = inputs.word + step
            if heads and not 0 <= other < n_words:
                values = {"head": str(heads[0]), "other": name_of(inputs, picks[heads[0]])}
                reasons.append((f"no_{name}", values))
            elif heads:
                best = max(heads, key=lambda head: rows[head][other])
                if picks[best] == other:
                    weight = format_weight(rows[best][other])
                    values = {"head": str(best), "other": name_of(inputs, other), "weight": weight}
                    reasons.append((name, values))
    groups = [
        (word, [str(head) for head, pick in enumerate(picks) if pick == word])
        for word in dict.fromkeys(picks)
    ]
    shared = sorted((g for g in groups if len(g[1]) > 1), key=lambda group: -len(group[1]))
    for word, heads in shared[:3]:
        values = {"heads": join_with_and(heads), "other": name_of(inputs, word)}
        reasons.append(("shared", values))
    alone = [heads[0] for _, heads in groups if len(heads) == 1]
    if len(alone) == 1:
        reasons.append(("one_alone", {"head": alone[0]}))
    if len(alone) > 1:
        reasons.append(("several_alone", {"heads": join_with_and(alone)}))
    texts = [inputs.sentence.words[word].text for word, _ in groups]
    for text in texts:
        if texts.count(text) > 1:
            reasons.append(("repeated", {"other": text}))
            break
    return reasons


def check(inputs):
    question, answer = question_and_answer("distinct_words", inputs)
    cause = expected_cause(inputs)
    assert question.unanswerable == cause
    if cause:
        return None
    causal = inputs.model.card.causal
    rows = naive_word_rows(inputs, naive_maps(*layer_of(inputs), causal=causal))
    word_of = [token.word for token in inputs.sentence.tokens]
    last = max(place for place, word in enumerate(word_of) if word == inputs.word)
    readable = set(word_of[: last + 1] if causal else word_of)
    most = min(len(rows), len(readable))
    assert question.choice_ids == [str(count) for count in range(1, most + 1)]
    if any(is_close(row) for row in rows):
        return answer
    picks = [top_of(row) for row in rows]
    assert answer.right == (str(len(set(picks))),)
    assert [(each.id, dict(each.values)) for each in answer.reasons] == expected_reasons(
        inputs, rows
    )
    for head, mark in enumerate(answer.marks):
        assert (mark.kind, mark.head, mark.model) == ("cell", head, inputs.model.card.id)
        assert (word_of[mark.row], word_of[mark.column]) == (inputs.word, picks[head])
    return answer


@given(st.data())
def test_the_answer_and_reasons_of_the_shipped_models(models, data):
    check(data.draw(prediction_inputs(models, MODELS)))


@given(st.data())
def test_the_answer_and_reasons_of_checkpoints(checkpoint_models, data):
    check(data.draw(prediction_inputs(checkpoint_models, ["bert", "gpt2"])))


def test_a_mark_is_the_largest_cell_from_the_word_to_its_pick(models):
    inputs = make_inputs(models, "headwise-h8", "a zyzzyva because zyzzyva sat", 1)
    maps = naive_maps(*layer_of(inputs))
    word_of = [token.word for token in inputs.sentence.tokens]
    for mark in check(inputs).marks:
        cells = [
            (maps[mark.head][row][column], row, column)
            for row, word in enumerate(word_of)
            if word == inputs.word
            for column, other in enumerate(word_of)
            if other == word_of[mark.column]
        ]
        assert max(cells)[1:] == (mark.row, mark.column)


def test_the_lab_shows_the_words_that_the_answer_counts(models):
    text = "Every student needs a good dictionary"
    state = make_state(models, text=text, word=2, lab="side-by-side")
    many = LABS["side-by-side"].run(state).many
    inputs = make_inputs(models, "headwise-h8", text, 2)
    answer = check(inputs)
    words = inputs.sentence.words
    word_of = [token.word for token in inputs.sentence.tokens]
    shown = [figure.top_word.word for figure in many.heads]
    assert shown == [words[word_of[mark.column]].text for mark in answer.marks]
    assert answer.right == (str(len(set(shown))),)


@pytest.mark.parametrize(("text", "word"), [("The cat sat down", 0), ("The cat sat down", 3)])
def test_a_head_that_looks_beyond_the_sentence_is_explained(models, text, word):
    answer = check(make_inputs(models, "headwise-h8", text, word))
    expected = "no_previous" if word == 0 else "no_next"
    assert expected in [reason.id for reason in answer.reasons]


def test_a_special_token_has_no_neighbours(checkpoint_models, models, monkeypatch):
    inputs = make_inputs(checkpoint_models, "bert", "The cat sat", 3)
    assert inputs.sentence.words[3].is_special
    evidence = models.evidence_of(models["headwise-h8"])
    monkeypatch.setattr(inputs.models, "evidence_of", lambda _: evidence)
    _, answer = question_and_answer("distinct_words", inputs)
    assert answer.right
    assert not {"previous", "next", "no_previous", "no_next"} & {r.id for r in answer.reasons}


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True), max_size=5))
def test_ties_allow_every_count_that_some_choice_gives(tops):
    assert possible_counts(tops) == sorted({len(set(picks)) for picks in product(*tops)})


def test_many_ties_take_little_time():
    counts = possible_counts([range(48)] * 32)
    assert min(counts) == 1

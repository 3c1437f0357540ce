"""What a column adds up to, computed a second time by loops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import LABS
from app.picture import format_weight
from tests.lesson.labs.states import make_state
from tests.lesson.naive_maps import layer_of, naive_maps
from tests.lesson.predictions.inputs import make_inputs, prediction_inputs, question_and_answer

MODELS = [f"headwise-h{n_heads}" for n_heads in (1, 2, 4, 8)]
LIMITS = (0.745, 1.255)
"""Totals that round to .75 and 1.25 are about 1."""


def token_names(inputs):
    texts = [token.text for token in inputs.sentence.tokens]
    return [
        text if texts.count(text) == 1 else f"{text} ({place})"
        for place, text in enumerate(texts, start=1)
    ]


def check(inputs):
    question, answer = question_and_answer("column_total", inputs)
    tokens = inputs.sentence.tokens
    first = next(place for place, token in enumerate(tokens) if token.word == inputs.word)
    assert question.values == {"column": tokens[first].text}
    if len({token.word for token in tokens if not token.special}) == 1:
        assert question.unanswerable == "one_word"
        return None
    assert question.choice_ids == ["less", "about", "more"]
    causal = inputs.model.card.causal
    rows = naive_maps(*layer_of(inputs), causal=causal)[inputs.head]
    column = [row[first] for row in rows]
    total = sum(column)
    assert float(answer.values["total"]) == pytest.approx(total, abs=0.0051)
    if min(abs(total - limit) for limit in LIMITS) > 1e-4:
        expected = "less" if total < LIMITS[0] else "more" if total > LIMITS[1] else "about"
        assert answer.right == (expected,)
    check_reasons(inputs, answer, column, first)
    (mark,) = answer.marks
    assert (mark.kind, mark.head, mark.row, mark.column) == ("column", inputs.head, None, first)
    assert mark.model == inputs.model.card.id
    return answer


def check_reasons(inputs, answer, column, first):
    """The rows that give most, by their names and figures, and what else has to be said."""
    reasons = {reason.id: dict(reason.values) for reason in answer.reasons}
    names, figures = token_names(inputs), dict(enumerate(column))
    own = figures.pop(first)
    assert float_of(reasons.pop("itself")["weight"]) == pytest.approx(own, abs=0.0051)
    if inputs.model.card.causal:
        figures = {row: weight for row, weight in figures.items() if row > first}
        assert reasons.pop("causal") == {"n_rows": str(len(figures) + 1)}
    pieces = [token for token in inputs.sentence.tokens if token.word == inputs.word]
    if len(pieces) > 1:
        assert reasons.pop("pieces") == {"n_pieces": str(len(pieces))}
    largest = sorted(figures.values(), reverse=True)
    said = list(reasons.values())
    if not figures:
        assert said == []
        return
    (values,) = said
    is_short = answer.right == ("less",) or len(figures) == 1
    assert [*reasons] == ["at_most" if is_short else "givers"]
    given = [(values["other"], values["weight"])]
    if not is_short:
        given.append((values["second_other"], values["second_weight"]))
    for (name, weight), expected in zip(given, largest, strict=False):
        assert figures[names.index(name)] == pytest.approx(expected, abs=1e-4)
        assert float_of(weight) == pytest.approx(expected, abs=0.0051)
    assert len({name for name, _ in given}) == len(given)


def float_of(cell):
    return {"<.01": 0.0, ">.99": 1.0}.get(cell) if cell[0] in "<>" else float(cell)


@given(st.data())
def test_the_answer_and_reasons_of_the_shipped_models(models, data):
    check(data.draw(prediction_inputs(models, MODELS)))


@given(st.data())
def test_the_answer_and_reasons_of_checkpoints(checkpoint_models, data):
    check(data.draw(prediction_inputs(checkpoint_models, ["bert", "gpt2"])))


def test_reasons_have_the_numbers_that_the_lab_draws(models):
    text = "The dog followed the cat"
    answer = check(make_inputs(models, "headwise-h4", text, 1, head=1))
    lab = LABS["pipeline"].run(make_state(models, text=text, word=1, head=1))
    assert answer.values["total"] == f"{lab.columns[1].total:.2f}"
    cells = [format_weight(float(row[1])) for row in lab.figure.weights]
    reasons = {reason.id: reason.values for reason in answer.reasons}
    assert reasons["itself"]["weight"] == cells[1]
    assert reasons["givers"] == {
        "other": "the",
        "weight": cells[3],
        "second_other": "followed",
        "second_weight": cells[2],
    }


@pytest.mark.parametrize(("word", "right"), [(1, "more"), (2, "about"), (3, "less")])
def test_each_answer_is_right_for_some_word_of_one_sentence(models, word, right):
    answer = check(make_inputs(models, "headwise-h4", "The cat sat down", word, head=1))
    assert answer.right == (right,)

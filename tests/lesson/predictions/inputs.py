"""Inputs of predictions to test: odd sentences above all."""

from hypothesis import assume
from hypothesis import strategies as st

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.selection import Selection

words = st.sampled_from(["the", "cat", "sat", "because", "don't", "zyzzyva", ",", ".", "雪"])
sentences = st.one_of(
    st.lists(words, min_size=1, max_size=10).map(" ".join),
    st.sampled_from(["cat", "cat cat cat", "very " * 40, "floccinaucinihilipilification"]),
)


def make_inputs(models, model, text, word, *, layer=0, head=0, options=None):
    """Return the input of a prediction about a word of a sentence."""
    sentence = models[model].tokenizer.sentence(text)
    selection = Selection(sentence, models[model], layer, head, word)
    return PredictionInput(selection, models, options or {})


@st.composite
def prediction_inputs(draw, models, names):
    """Draw a model, a sentence, a layer, a head and a word."""
    model = models[draw(st.sampled_from(names))]
    sentence = model.tokenizer.sentence(draw(sentences))
    assume(len(sentence.tokens) <= model.card.max_tokens)
    selection = Selection(
        sentence,
        model,
        draw(st.integers(0, model.card.n_layers - 1)),
        draw(st.integers(0, model.card.n_heads - 1)),
        draw(st.integers(0, len(sentence.content_words) - 1)),
    )
    return PredictionInput(selection, models)


def question_and_answer(name, inputs):
    """Ask and answer, and check that both are what the kind of prediction declares.

    The answer is None if the question has no choices.
    """
    kind = PREDICTIONS[name]
    question = kind.ask(inputs)
    if not question.choices:
        assert question.unanswerable in kind.unanswerable
        return question, None
    assert question.unanswerable is None
    assert set(question.values) == set(kind.question_placeholders)
    assert len(set(question.choice_ids)) == len(question.choice_ids)
    assert all(set(choice.values) == set(kind.choice_placeholders) for choice in question.choices)
    answer = kind.answer(inputs)
    assert answer.right
    assert set(answer.right) <= set(question.choice_ids)
    assert set(answer.values) == set(kind.placeholders)
    assert all(set(reason.values) == set(kind.reasons[reason.id]) for reason in answer.reasons)
    return question, answer


def reasons_of(answer):
    """Return the values of each reason by its id."""
    return {reason.id: dict(reason.values) for reason in answer.reasons}

"""Which model guesses the hidden word best, computed a second time by loops."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import PREDICTIONS, PredictionInput, Reason
from app.lesson.masked_word import WordGuess
from app.lesson.predictions.best_guess import best_guesses
from app.lesson.selection import Selection
from app.picture import format_weight
from tests.lesson.naive_transformer import naive_probabilities

best_guess = PREDICTIONS["best_guess"]
FAMILY = [f"headwise-h{n}" for n in (1, 2, 4, 8)]

words = st.sampled_from(["the", "cat", "sat", "because", "old", "dog", ",", ".", "[MASK]"])
sentences = st.lists(words, min_size=2, max_size=10).map(" ".join)


def inputs_of(models, text, word, model="headwise-h4"):
    sentence = models[model].tokenizer.sentence(text)
    return PredictionInput(Selection(sentence, models[model], 0, 0, word), models)


def naive_guesses(models, inputs):
    """Each model's rank and probability of the chosen word, which is one token."""
    tokenizer = models["headwise-h4"].tokenizer
    (position,) = [i for i, each in enumerate(inputs.sentence.tokens) if each.word == inputs.word]
    ids = [token.id for token in inputs.sentence.tokens]
    target, ids[position] = ids[position], tokenizer.mask_token_id
    guesses = {}
    for name in FAMILY:
        probabilities = naive_probabilities(models[name], ids, position)
        rank = 1
        for each in probabilities:
            rank += bool(each > probabilities[target])
        guesses[name] = rank, float(probabilities[target]), probabilities
    return target, guesses


def near(probabilities, target, rank):
    """Whether rounding errors of single precision could give the target this rank."""
    error = 1e-4 * probabilities[target]
    surely_better = (probabilities > probabilities[target] + error).sum()
    at_least_as_good = (probabilities > probabilities[target] - error).sum()  # itself included
    return surely_better < rank <= at_least_as_good


@settings(max_examples=25)
@given(st.data())
def test_the_best_model_gives_the_hidden_word_the_best_rank_and_then_the_largest_probability(
    models, data
):
    text = data.draw(sentences)
    n_words = len(text.split())
    inputs = inputs_of(models, text, data.draw(st.integers(0, n_words - 1)))
    question, answer = best_guess.ask(inputs), best_guess.answer(inputs)
    if inputs.sentence.words[inputs.word].text == "[MASK]":
        assert question.unanswerable == "masked"
        assert not question.choices
        return
    assert question.choice_ids == FAMILY
    target, guesses = naive_guesses(models, inputs)
    stated = [reason.values for reason in answer.reasons if reason.id == "guess"]
    assert [each["heads"] for each in stated] == ["1 head", "2 heads", "4 heads", "8 heads"]
    for values, (_, probability, probabilities) in zip(stated, guesses.values(), strict=True):
        assert near(probabilities, target, int(values["rank"].replace(",", "")))
        assert values["probability"] in {
            format_weight(probability * factor) for factor in (1 - 1e-4, 1, 1 + 1e-4)
        }
    shown = {
        name: (int(values["rank"].replace(",", "")), values["probability"])
        for name, values in zip(FAMILY, stated, strict=True)
    }
    best_rank = min(rank for rank, _ in shown.values())
    largest = max(guesses[name][1] for name in FAMILY if shown[name][0] == best_rank)
    for name in FAMILY:
        looks_best = shown[name][0] == best_rank and guesses[name][1] >= largest * (1 - 1e-4)
        if looks_best:
            best_shown = shown[name][1]
    assert answer.right == tuple(name for name in FAMILY if shown[name] == (best_rank, best_shown))
    assert [(mark.kind, mark.model) for mark in answer.marks] == [
        ("model", name) for name in answer.right
    ]


def guess(models, name, rank, probability):
    return WordGuess(models[name].card, rank, probability, ())


def test_guesses_of_one_rank_tie_if_their_probabilities_look_the_same(models):
    guesses = [
        guess(models, "headwise-h1", 2, 0.9),
        guess(models, "headwise-h2", 1, 0.331),
        guess(models, "headwise-h4", 1, 0.329),
        guess(models, "headwise-h8", 1, 0.32),
    ]
    assert [each.card.n_heads for each in best_guesses(guesses)] == [2, 4]
    assert [each.card.n_heads for each in best_guesses(guesses[:2])] == [2]


def test_the_reason_compares_the_word_with_the_losses_of_a_million_words(models):
    losses = {name: models[name].card.training.validation_loss for name in FAMILY}
    first, second = sorted(losses, key=losses.get)[:2]
    runs = models.seed_runs
    by_heads = {n: [run.validation_loss for run in runs.runs if run.n_heads == n] for n in (1, 8)}
    spread = max(max(each) - min(each) for each in by_heads.values())
    expected = {
        "first": f"{models[first].card.n_heads} heads",
        "second": f"{models[second].card.n_heads} heads",
        "lead": f"{losses[second] - losses[first]:.2f}",
        "spread": f"{spread:.2f}",
    }
    seen = set()
    for text, word in [("The cat sat down", 2), ("The old dog slept", 2), ("He was a king", 0)]:
        answer = best_guess.answer(inputs_of(models, text, word))
        usual = "as_usual" if first in answer.right else "unlike_usual"
        assert answer.reasons[-1] == Reason(usual, expected)
        seen.add(usual)
    assert seen == {"as_usual", "unlike_usual"}


def test_without_runs_from_several_seeds_nothing_is_said_of_them(models):
    without = EvaluatedRegistry(models, {})
    answer = best_guess.answer(inputs_of(without, "The cat sat down", 2))
    assert {reason.id for reason in answer.reasons} == {"guess"}
    assert len(answer.reasons) == 4


@pytest.mark.parametrize("model", [*FAMILY, "headwise-h8-random", "bert", "gpt2"])
def test_headwises_own_models_are_asked_whatever_model_is_chosen(checkpoint_models, model):
    expected = best_guess.answer(inputs_of(checkpoint_models, "The cat sat down", 2))
    inputs = inputs_of(checkpoint_models, "The cat sat down", 2, model)
    assert best_guess.ask(inputs).choice_ids == FAMILY
    assert best_guess.answer(inputs) == expected


def test_a_repeated_word_is_hidden_where_it_was_chosen(models):
    first, second = (
        best_guess.answer(inputs_of(models, "The cat saw the other cat", word)) for word in (1, 5)
    )
    assert first.reasons[:4] != second.reasons[:4]


def test_the_longest_sentence_that_fits_can_be_asked(models):
    inputs = inputs_of(models, "the cat " * 24, 21)
    assert len(inputs.sentence.tokens) == 48
    assert best_guess.answer(inputs).right


@pytest.mark.parametrize(
    ("model", "text", "word", "cause"),
    [
        ("headwise-h4", "cat", 0, "alone"),
        ("headwise-h4", "a zyzzyva sat", 1, "split"),
        ("headwise-h4", "the 雪 fell", 1, "unknown"),
        ("headwise-h4", "the [MASK] sat", 1, "masked"),
        ("bert", "The cat sat", 3, "special"),
        ("gpt2", "the cat " * 25, 0, "too_long"),
    ],
)
def test_what_cannot_be_guessed_is_not_asked(checkpoint_models, model, text, word, cause):
    inputs = inputs_of(checkpoint_models, text, word, model)
    question = best_guess.ask(inputs)
    assert question.unanswerable == cause
    assert cause in best_guess.unanswerable
    assert question.choices == ()
    assert best_guess.answer(inputs).right == ()


def test_asking_runs_no_model(models, monkeypatch):
    inputs = inputs_of(models, "The cat sat down", 2)
    monkeypatch.setattr(Selection, "run", None)
    assert best_guess.ask(inputs).choices
    with pytest.raises(TypeError):
        best_guess.answer(inputs)

"""Which of Headwise's own models guesses the hidden word best?"""

from collections.abc import Sequence

from app.lesson.masked_word import (
    WordGuess,
    guess_word,
    guessing_models,
    hidden_word,
    why_no_guess,
)
from app.lesson.model_comparison import head_count_text, leading_models
from app.lesson.predictions.question import (
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.picture import format_weight


def ask(inputs: PredictionInput) -> Question:
    """Ask which model guesses the hidden word best, of those that Headwise has trained.

    They are asked whatever model is chosen: the question is how they differ.
    """
    cause = why_no_guess(inputs, inputs.models)
    if cause:
        return Question((), unanswerable=cause)
    return Question(
        tuple(
            AnswerChoice(model.card.id, {"heads": head_count_text(model.card.n_heads)})
            for model in guessing_models(inputs.models)
        )
    )


def answer(inputs: PredictionInput) -> Answer:
    """Return the models whose guess is best: by rank, then by probability.

    Models of the same rank tie if their probabilities look the same on the page.
    """
    hidden = hidden_word(inputs, inputs.models)
    if hidden is None or hidden.target_id is None:
        return Answer(())
    guesses = [guess_word(inputs, hidden, model, top=1) for model in guessing_models(inputs.models)]
    best = best_guesses(guesses)
    right = tuple(guess.card.id for guess in best)
    reasons = [Reason("guess", _values(guess)) for guess in guesses]
    leaders = leading_models(inputs.models)
    if leaders:
        agrees = leaders.first.card.id in right
        reasons.append(
            Reason(
                "as_usual" if agrees else "unlike_usual",
                {
                    "first": head_count_text(leaders.first.card.n_heads),
                    "second": head_count_text(leaders.second.card.n_heads),
                    "lead": f"{leaders.lead:.2f}",
                    "spread": f"{leaders.seed_spread:.2f}",
                },
            )
        )
    return Answer(
        right,
        _values(best[0]),
        tuple(reasons),
        tuple(Mark("model", model=model) for model in right),
    )


def best_guesses(guesses: Sequence[WordGuess]) -> list[WordGuess]:
    """Return the guesses of the best rank whose probability looks like the largest of these."""
    best_rank = min(guess.rank for guess in guesses if guess.rank)
    of_best_rank = [guess for guess in guesses if guess.rank == best_rank]
    largest = max(guess.probability or 0.0 for guess in of_best_rank)
    return [
        guess
        for guess in of_best_rank
        if format_weight(guess.probability or 0.0) == format_weight(largest)
    ]


def _values(guess: WordGuess) -> dict[str, str]:
    return {
        "heads": head_count_text(guess.card.n_heads),
        "rank": f"{guess.rank:,}",
        "probability": format_weight(guess.probability or 0.0),
    }


_VALUES = ("heads", "rank", "probability")
_LEADERS = ("first", "second", "lead", "spread")

BEST_GUESS = PredictionType(
    ask,
    answer,
    depends_on=("text", "word"),
    placeholders=_VALUES,
    choice_placeholders=("heads",),
    reasons={"guess": _VALUES, "as_usual": _LEADERS, "unlike_usual": _LEADERS},
    unanswerable=(
        "special",
        "too_long",
        "alone",
        "masked",
        "unknown",
        "split",
    ),
    compares_models=True,
)

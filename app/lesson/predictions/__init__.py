"""Predictions: questions about the learner's sentence whose answers the models compute."""

from app.lesson.predictions.best_guess import BEST_GUESS
from app.lesson.predictions.cached_numbers import CACHED_NUMBERS
from app.lesson.predictions.changed_top_words import CHANGED_TOP_WORDS
from app.lesson.predictions.column_total import COLUMN_TOTAL
from app.lesson.predictions.distinct_words import DISTINCT_WORDS
from app.lesson.predictions.head_record import HEAD_RECORD
from app.lesson.predictions.keeps_previous import KEEPS_PREVIOUS
from app.lesson.predictions.largest_contribution import LARGEST_CONTRIBUTION
from app.lesson.predictions.question import (
    COMMON_PLACEHOLDERS,
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.lesson.predictions.shared_keys import SHARED_KEYS

PREDICTIONS = {
    "best_guess": BEST_GUESS,
    "cached_numbers": CACHED_NUMBERS,
    "changed_top_words": CHANGED_TOP_WORDS,
    "column_total": COLUMN_TOTAL,
    "distinct_words": DISTINCT_WORDS,
    "head_record": HEAD_RECORD,
    "keeps_previous": KEEPS_PREVIOUS,
    "largest_contribution": LARGEST_CONTRIBUTION,
    "shared_keys": SHARED_KEYS,
}
"""Values of `predict.computed_by` in the `.toml` file of a step."""

__all__ = [
    "COMMON_PLACEHOLDERS",
    "PREDICTIONS",
    "Answer",
    "AnswerChoice",
    "Mark",
    "PredictionInput",
    "PredictionType",
    "Question",
    "Reason",
]

"""Lessons: loads, validates and runs them; knows labs by name, and no subject matter."""

from app.lesson.labs import CONTROLS, LABS, Controls, Lab, LabState, compare, explain
from app.lesson.loader import Lesson, Library, Step, load_lessons
from app.lesson.predictions import (
    PREDICTIONS,
    AnswerChoice,
    PredictionInput,
    PredictionResult,
    PredictionType,
)
from app.lesson.schema import Defaults, StepConfig
from app.lesson.selection import Selection
from app.lesson.validation import Issue

__all__ = [
    "CONTROLS",
    "LABS",
    "PREDICTIONS",
    "AnswerChoice",
    "Controls",
    "Defaults",
    "Issue",
    "Lab",
    "LabState",
    "Lesson",
    "Library",
    "PredictionInput",
    "PredictionResult",
    "PredictionType",
    "Selection",
    "Step",
    "StepConfig",
    "compare",
    "explain",
    "load_lessons",
]

"""Lessons: load, validate and run them. The texts and facts of a subject are in lessons/."""

from app.lesson.labs import CONTROLS, LABS, Controls, Lab, LabState, compare, explain, two_views
from app.lesson.loader import Lesson, Library, Step, load_lessons
from app.lesson.predictions import (
    PREDICTIONS,
    Answer,
    AnswerChoice,
    Mark,
    PredictionInput,
    PredictionType,
    Question,
    Reason,
)
from app.lesson.schema import Defaults, StepConfig
from app.lesson.selection import Selection
from app.lesson.validation import Issue

__all__ = [
    "CONTROLS",
    "LABS",
    "PREDICTIONS",
    "Answer",
    "AnswerChoice",
    "Controls",
    "Defaults",
    "Issue",
    "Lab",
    "LabState",
    "Lesson",
    "Library",
    "Mark",
    "PredictionInput",
    "PredictionType",
    "Question",
    "Reason",
    "Selection",
    "Step",
    "StepConfig",
    "compare",
    "explain",
    "load_lessons",
    "two_views",
]

"""Lessons: loads, validates and runs them; knows labs by name, and no subject matter."""

from app.lesson.labs import LABS, LabView
from app.lesson.load import BrokenLessonError, Lesson, Step, load_lessons
from app.lesson.questions import TRUTHS, Asked, Truth
from app.lesson.schema import Defaults, StepFacts

__all__ = [
    "LABS",
    "TRUTHS",
    "Asked",
    "BrokenLessonError",
    "Defaults",
    "LabView",
    "Lesson",
    "Step",
    "StepFacts",
    "Truth",
    "load_lessons",
]

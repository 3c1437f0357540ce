"""Lessons: loads, validates and runs them; knows labs by name, and no subject matter."""

from app.lesson.labs import CONTROLS, LABS, Controls, Lab, LabView, compare, explain
from app.lesson.loader import Lesson, Library, Step, load_lessons
from app.lesson.predictions import TRUTHS, Asked, Choice, Question, Truth
from app.lesson.schema import Defaults, StepFacts
from app.lesson.validation import Mistake

__all__ = [
    "CONTROLS",
    "LABS",
    "TRUTHS",
    "Asked",
    "Choice",
    "Controls",
    "Defaults",
    "Lab",
    "LabView",
    "Lesson",
    "Library",
    "Mistake",
    "Question",
    "Step",
    "StepFacts",
    "Truth",
    "compare",
    "explain",
    "load_lessons",
]

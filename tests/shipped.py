"""The shipped models with their evidence, and the shipped lessons."""

from app.application import build_registry
from app.lesson import load_lessons
from app.settings import Settings, site_folder

MODELS = build_registry(Settings())
LESSONS_FOLDER = site_folder("lessons")
LIBRARY = load_lessons(LESSONS_FOLDER, MODELS)
LESSONS = LIBRARY.lessons
VERSION = LESSONS[0].config.version
"""The current version of the first lesson."""

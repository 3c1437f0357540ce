import pytest

from app.evaluation.registry import load_evidence
from app.models.checkpoints import read_checkpoint
from tests.lesson.small_lesson import copy_lessons
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


@pytest.fixture
def folder(tmp_path):
    """A folder of lessons with a copy of the small lesson, to change."""
    return copy_lessons(tmp_path / "lessons")


@pytest.fixture(scope="session")
def checkpoint_models(models, tmp_path_factory):
    """The shipped models, a BERT, which adds special tokens, and a GPT-2, which is causal."""
    folder = tmp_path_factory.mktemp("checkpoints")
    checkpoints = [
        read_checkpoint(save_checkpoint(kind, folder / kind)) for kind in ("bert", "gpt2")
    ]
    return load_evidence(models.with_checkpoints(checkpoints))[0]

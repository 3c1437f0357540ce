import json
import shutil

import pytest

from app.evaluation.registry import load_evidence
from app.evaluation.report import evidence_file
from app.models import load_builtin_models
from app.models.builtin import BUILTIN_FOLDER, BrokenModelError
from app.models.checkpoints import read_checkpoints
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


def test_trained_models_have_evidence_and_untrained_copies_have_none(models):
    for model in models.of_kind("trained"):
        assert models.evidence_of(model).model == model.card.id
    for model in models.of_kind("random"):
        assert models.evidence_of(model) is None


def test_evidence_is_read_once(tmp_path):
    shutil.copytree(BUILTIN_FOLDER, tmp_path / "shipped")
    models, errors = load_evidence(load_builtin_models(tmp_path / "shipped"), tmp_path / "shipped")
    model = models["headwise-h4"]
    shutil.rmtree(tmp_path / "shipped")
    assert models.evidence_of(model) is models.evidence_of(model)
    assert models.evidence_of(model).model == "headwise-h4"
    assert models.seed_runs is not None
    assert errors == []


def test_damaged_evidence_of_a_shipped_model_is_found_at_the_start(tmp_path):
    shutil.copytree(BUILTIN_FOLDER, tmp_path / "shipped")
    evidence_file(tmp_path / "shipped" / "headwise-h8").write_text("{}")
    models = load_builtin_models(tmp_path / "shipped")
    with pytest.raises(BrokenModelError, match=r"headwise-h8: heads\.json cannot be read"):
        load_evidence(models)


def test_a_checkpoint_with_evidence_of_other_weights_is_left_out_and_reported(tmp_path, models):
    for name in ("good", "stale"):
        save_checkpoint("bert", tmp_path / name)
    evidence = models.evidence_of(models["headwise-h4"]).model_dump(mode="json")
    evidence_file(tmp_path / "stale").write_text(json.dumps(evidence))
    checkpoints = read_checkpoints([tmp_path])
    assert checkpoints.errors == []
    evaluated, errors = load_evidence(load_builtin_models().with_checkpoints(checkpoints.models))
    assert [model.card.id for model in evaluated.of_kind("checkpoint")] == ["good"]
    assert "headwise-h4" in evaluated
    (error,) = errors
    assert str(error) == (
        f"{tmp_path / 'stale'}: heads.json was measured with other weights; measure the heads again"
    )

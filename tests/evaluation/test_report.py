import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.report import (
    DIRECTIONS,
    NO_LABEL,
    POSITIONS,
    Baselines,
    Evidence,
    EvidenceError,
    Finding,
    HeadRecord,
    Share,
    evidence_file,
    read_evidence,
)
from app.models import load_builtin_models
from app.models.builtin import BUILTIN_FOLDER

TRAINING_NOTES = Path(__file__).parents[2] / "training" / "README.md"


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_the_training_notes_agree_with_the_shipped_record(models, n_heads):
    model = models[f"headwise-h{n_heads}"]
    shipped = models.evidence_of(model)
    assert shipped.model == model.card.id
    assert [(h.layer, h.head) for h in shipped.heads] == [
        (layer, head) for layer in range(model.card.n_layers) for head in range(n_heads)
    ]
    found = shipped.relations_found
    named = [
        f"{head.layer}.{head.head}: {', '.join(shipped.labels(head))}"
        for head in shipped.heads
        if shipped.labels(head) != [NO_LABEL]
    ]
    relations_text = f"{len(found)}: {', '.join(found)}" if found else "none"
    notes = TRAINING_NOTES.read_text("utf-8")
    assert f"| {n_heads} | {relations_text} | {'; '.join(named)} |" in notes
    losses = [model.card.training.validation_loss, *models.seed_runs.losses(n_heads)]
    accuracy = 100 * model.card.training.validation_accuracy
    figures = [f"{losses[0]:.3f}", f"{accuracy:.1f} %", *(f"{loss:.3f}" for loss in losses[1:])]
    assert f"| {n_heads} | {' | '.join(figures)} |" in notes


def make_finding(hits, n=200, dev=100):
    return Finding(
        relation="case",
        direction=DIRECTIONS[0],
        dev=Share(hits=dev, n=200),
        test=Share(hits=hits, n=n),
    )


def make_evidence(*heads, offset=80, untrained_rate=0.3, untrained_top_shares=0.2):
    baselines = Baselines(
        relation="case",
        direction=DIRECTIONS[0],
        offset=2,
        offset_share=Share(hits=offset, n=200),
        untrained_rates=(0.1, untrained_rate),
    )
    return Evidence(
        model="m",
        weights_sha256="0",
        treebank="t",
        licence="l",
        sentences=1,
        left_out=0,
        words=1000,
        command="c",
        heads=heads,
        baselines=(baselines,),
        untrained_top_shares=dict.fromkeys(POSITIONS, untrained_top_shares),
    )


def make_head_record(*findings, **tops):
    shares = dict.fromkeys(POSITIONS, 0.0) | tops
    return HeadRecord(
        layer=0,
        head=0,
        weights=shares,
        top_word_shares=shares,
        entropy=1,
        distance=1,
        findings=findings,
    )


@given(st.integers(1, 5000), st.data())
def test_an_interval_contains_its_rate_and_stays_between_0_and_1(n, data):
    share = Share(hits=data.draw(st.integers(0, n)), n=n)
    low, high = share.interval
    assert -1e-9 <= low <= share.rate + 1e-9
    assert share.rate - 1e-9 <= high <= 1 + 1e-9


def test_a_published_interval_is_reproduced():
    low, high = Share(hits=10, n=100).interval
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


@pytest.mark.parametrize(
    ("head_finding", "label"),
    [
        (make_finding(120), "preposition → noun"),  # .60 against .40, interval from .53
        (make_finding(88), "no clear role"),  # .44: less than .05 above
        (make_finding(24, n=40), "no clear role"),  # .60, but too few cases
        (make_finding(93), "no clear role"),  # .465, interval from .397
    ],
)
def test_a_label_needs_the_margin_the_interval_and_enough_cases(head_finding, label):
    record = make_head_record(head_finding)
    assert make_evidence(record).labels(record) == [label]


def test_an_untrained_model_is_a_baseline_too():
    record = make_head_record(make_finding(120))
    assert make_evidence(record, untrained_rate=0.58).labels(record) == ["no clear role"]


def test_positions_are_labelled_from_half_of_the_queries_on():
    record = make_head_record(make_finding(0), previous=0.5, next=0.49)
    assert make_evidence(record).labels(record) == ["previous word"]


def test_a_position_that_untrained_heads_prefer_as_much_is_not_a_label():
    record = make_head_record(make_finding(0), itself=0.6)
    assert make_evidence(record, untrained_top_shares=0.5).labels(record) == ["itself"]
    assert make_evidence(record, untrained_top_shares=0.56).labels(record) == ["no clear role"]


def test_the_reverse_direction_has_the_reverse_label():
    assert make_finding(1).model_copy(update={"direction": DIRECTIONS[1]}).label == (
        "noun → preposition"
    )


def test_a_relation_is_found_by_the_head_that_dev_chose_even_if_another_is_better():
    chosen, better = (
        make_head_record(make_finding(80, dev=150)),
        make_head_record(make_finding(150, dev=100)),
    )
    assert make_evidence(chosen, better).relations_found == []
    assert make_evidence(make_head_record(make_finding(150, dev=150)), chosen).relations_found == [
        "case"
    ]


@pytest.fixture
def shipped_copy(tmp_path):
    """A copy of a shipped model whose evidence may be changed."""
    shutil.copy(BUILTIN_FOLDER / "tokenizer.json", tmp_path)
    shutil.copytree(BUILTIN_FOLDER / "headwise-h2", tmp_path / "headwise-h2")
    return load_builtin_models(tmp_path)["headwise-h2"]


def change_evidence(model, **changes):
    file = evidence_file(model.folder)
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_evidence_of_a_model_is_read_from_its_folder(models, shipped_copy):
    assert read_evidence(shipped_copy) == models.evidence_of(models["headwise-h2"])


def test_a_model_that_was_not_measured_has_no_evidence(shipped_copy):
    evidence_file(shipped_copy.folder).unlink()
    assert read_evidence(shipped_copy) is None


def test_an_untrained_copy_has_no_evidence(shipped_copy):
    assert read_evidence(shipped_copy.untrained_copy()) is None


def test_evidence_of_other_weights_is_refused(shipped_copy):
    change_evidence(shipped_copy, weights_sha256="0" * 64)
    with pytest.raises(EvidenceError, match=r"heads\.json was measured with other weights"):
        read_evidence(shipped_copy)


def test_damaged_evidence_is_refused(shipped_copy):
    evidence_file(shipped_copy.folder).write_text('{"model": "headwise-h2"}')
    with pytest.raises(EvidenceError, match=r"heads\.json cannot be read"):
        read_evidence(shipped_copy)


@pytest.mark.parametrize("missing", ["heads", "baselines"])
def test_evidence_that_does_not_describe_every_head_is_refused(shipped_copy, missing):
    change_evidence(shipped_copy, **{missing: []})
    with pytest.raises(EvidenceError, match="does not describe every head of this model"):
        read_evidence(shipped_copy)

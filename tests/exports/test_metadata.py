import json

from app.exports.metadata import figure_title, file_stem, view_metadata
from app.models.checkpoints import read_checkpoint
from tests.exports.lab_states import make_lab_state
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


def test_a_title_names_model_layer_head_and_sentence(models):
    assert figure_title(make_lab_state(models, text="Birds sing")) == (
        "Headwise: headwise-h4 (trained), layer 1, head 1, on “Birds sing”."
        " Rows ask, columns answer."
    )


def test_a_title_says_that_special_tokens_are_hidden(models, tmp_path):
    registry = models.with_checkpoints(
        [read_checkpoint(save_checkpoint("bert", tmp_path / "bert"))]
    )
    hidden = figure_title(make_lab_state(registry, "bert", hide_special_tokens=True))
    assert hidden.endswith("Special tokens are hidden, rows renormalised.")
    assert "hidden" not in figure_title(make_lab_state(registry, "bert"))


def test_a_file_name_has_nothing_of_the_sentence(models):
    assert file_stem(make_lab_state(models, text="Secret birds")) == "headwise-h4-layer1-head1"


def test_metadata_can_be_written_as_json(models):
    state = make_lab_state(models, "headwise-h8", groups=2, off=frozenset({(1, 0), (0, 1)}))
    metadata = view_metadata(state, "strip")
    assert json.loads(json.dumps(metadata))["off"] == [[0, 1], [1, 0]]
    assert (metadata["n_heads"], metadata["n_kv_heads"], metadata["show"]) == (8, 2, "strip")

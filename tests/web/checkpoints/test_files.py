"""Files, tables, handouts and assignments made from a checkpoint's view."""

import io

import numpy as np
import pytest

from app.exports.formats import FORMATS
from tests.web.checkpoints.requests import LESSON, STEP_WITH_LAB, lab_json, open_step, step_path
from tests.web.html import parse_html


@pytest.mark.parametrize("file", [name for name in FORMATS if not name.startswith("difference")])
@pytest.mark.parametrize("kind", ["roberta", "llama"])
@pytest.mark.parametrize("layout", ["map", "overview"])
def test_every_file_can_be_made_of_a_checkpoint(checkpoint_client, kind, file, layout):
    query = {"model": kind, "layer": 2, "hide": 1, "show": layout}
    answer = checkpoint_client.get(step_path("side-by-side", f"/export/{file}", **query))
    assert answer.status_code == 200
    assert len(answer.content) > 100
    assert f"{kind}-layer2-head" in answer.headers["content-disposition"]


def test_numbers_in_files_are_those_that_are_shown(checkpoint_client):
    query = {"model": "bert", "layer": 1, "hide": 1}
    shown = lab_json(checkpoint_client, "side-by-side", **query)
    url = step_path("side-by-side", "/export/view.json", **query)
    exported = checkpoint_client.get(url).json()
    np.testing.assert_allclose(exported["map"], shown["weights"][2], atol=1e-7)
    assert exported["labels"] == [token["text"] for token in shown["tokens"]]
    assert len(exported["q"]) == len(exported["labels"])
    url = step_path("side-by-side", "/export/view.npz", **query)
    arrays = np.load(io.BytesIO(checkpoint_client.get(url).content), allow_pickle=False)
    np.testing.assert_array_equal(arrays["maps"], np.array(shown["weights"], np.float32))


@pytest.mark.parametrize("hide", ["", "1"])
def test_the_table_has_the_visible_tokens(checkpoint_client, hide):
    page = open_step(checkpoint_client, "side-by-side", "/numbers", model="llama", hide=hide)
    assert page.has("table")
    assert ("<s>" in page.find("main").text) == (not hide)


def test_the_handout_names_the_checkpoint(checkpoint_client):
    page = open_step(checkpoint_client, "side-by-side", "/handout", model="llama", answers=1)
    assert "llama" in page.find("main").text


def test_the_qr_code_leads_to_the_checkpoints_view(checkpoint_client):
    codes = [
        checkpoint_client.get(step_path("side-by-side", "/qr.svg", model=kind))
        for kind in ("llama", "gpt2")
    ]
    assert [code.status_code for code in codes] == [200, 200]
    assert codes[0].content != codes[1].content


def test_an_assignment_can_fix_a_checkpoint(checkpoint_client):
    step = f"/{LESSON.slug}/{STEP_WITH_LAB['side-by-side']}"
    form = {"step": step, "model": "llama", "hide": "1", "fixed": "model"}
    assigned = parse_html(checkpoint_client.get("/assign", params=form).text)
    link = assigned.find("#assigned-link")["value"]
    opened = f"{link.removeprefix('http://testserver')}&open=change"
    page = parse_html(checkpoint_client.get(opened).text)
    assert "disabled" in page.find("button#model-llama")
    assert "disabled" in page.find("button#model-gpt2")
    assert "disabled" not in page.find("button#layer-1")

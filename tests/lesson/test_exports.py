import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from app.lesson import Controls, LabState
from app.lesson.exports import (
    arrays,
    as_csv,
    as_json,
    difference_svg,
    npz,
    reproduction_archive,
    svg,
)
from app.lesson.reproduce import notebook
from app.lesson.selection import Selection
from app.models.checkpoints import read_checkpoint
from app.picture.number_format import format_cell
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

CSS_RULES = ".paper { fill: #fff; }"
VIEW_CASES = [
    ("headwise-h4", "map", {}),
    ("headwise-h8", "grid", {"weighted": True, "off": frozenset({(0, 1), (1, 0)})}),
    ("headwise-h2", "lines", {"causal": True, "unscaled": True}),
    ("headwise-h8", "strip", {"groups": 2}),
    ("headwise-h4-random", "map", {}),
]


CHECKPOINT_VIEW_CASES = [
    ("bert", "map", {"hide_special_tokens": True}),
    ("roberta", "strip", {"weighted": True, "hide_special_tokens": True}),
    ("gpt2", "grid", {"unscaled": True, "off": frozenset({(0, 1), (1, 0)})}),
    ("llama", "lines", {"weighted": True}),
    ("llama-biased", "map", {"groups": 1, "hide_special_tokens": True}),
]


def make_view(models, model="headwise-h4", text="She opened the old wooden door", **controls):
    sentence = models[model].tokenizer.sentence(text)
    selection = Selection(sentence, models[model], 1, 1, 0)
    return LabState(selection, models, controls=Controls(**controls))


def test_the_table_holds_every_weight_of_the_head(models):
    view = make_view(models)
    (_, *keys), *rows = csv.reader(io.StringIO(as_csv(view)))
    assert keys == [row[0] for row in rows] == list(view.axis.labels)
    weights = np.array([[float(cell) for cell in row[1:]] for row in rows], np.float32)
    assert np.array_equal(weights, view.maps[1])


@pytest.mark.parametrize("text", ["=1+2", "@sum", "-cat", "+cat"])
def test_no_cell_of_the_table_is_a_formula(models, text):
    for row in csv.reader(io.StringIO(as_csv(make_view(models, text=text)))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_the_json_file_has_every_intermediate(models):
    view = make_view(models, weighted=True)
    exported = json.loads(as_json(view))
    assert (exported["text"], exported["layer"], exported["head"]) == (view.sentence.text, 1, 1)
    weights = np.array(exported["weights"])
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(
        np.array(exported["q"]) @ np.array(exported["k"]).T, exported["scores"], atol=1e-4
    )
    assert np.allclose(np.array(exported["scores"]) / np.sqrt(32), exported["scaled"], atol=1e-5)
    assert np.allclose(exported["weighted_by_length"], view.maps[1])


def test_arrays_need_no_pickle_and_are_the_same_file_every_time(models):
    view = make_view(models)
    content = npz(view)
    assert content == npz(make_view(models))
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    assert set(loaded) == set(arrays(view))
    assert np.array_equal(loaded["maps"], view.maps)


def unpack_reproduction(view, folder, show="map"):
    with zipfile.ZipFile(io.BytesIO(reproduction_archive(view, show, CSS_RULES))) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def numpy_only_folder(tmp_path_factory):
    """A folder to import from that holds NumPy and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    installed = Path(np.__file__).parent.parent
    for name in ("numpy", "numpy.libs"):
        if (installed / name).exists():
            (folder / name).symlink_to(installed / name)
    return folder


@pytest.mark.parametrize("case", VIEW_CASES, ids=lambda shown: "-".join(shown[:2]))
def test_the_script_makes_the_same_figure_with_numpy_alone(
    models, tmp_path, numpy_only_folder, case
):
    model, show, controls = case
    check_reproduction(make_view(models, model, **controls), show, tmp_path, numpy_only_folder)


@pytest.mark.parametrize("case", CHECKPOINT_VIEW_CASES, ids=lambda shown: "-".join(shown[:2]))
def test_the_script_makes_the_same_figure_for_checkpoints(
    models, tmp_path, numpy_only_folder, case
):
    kind, show, controls = case
    model = read_checkpoint(save_checkpoint(kind, tmp_path / kind))
    registry = models.with_checkpoints([model])
    check_reproduction(
        make_view(registry, kind, **controls), show, tmp_path / "archive", numpy_only_folder
    )


def test_an_archive_of_a_checkpoint_holds_one_layer_and_no_more(models, tmp_path):
    model = read_checkpoint(save_checkpoint("llama", tmp_path / "llama"))
    archive_arrays = arrays(make_view(models.with_checkpoints([model]), "llama"))
    layers = [name for name in archive_arrays if name.startswith("layers.")]
    names = ("qkv", "qkv_bias", "output", "output_bias")
    assert layers == [f"layers.1.{name}" for name in names]
    assert "tokens" not in archive_arrays


def test_weights_too_large_for_a_file_are_refused_with_alternatives(models, tmp_path, monkeypatch):
    monkeypatch.setattr("app.lesson.exports.MAX_LAYER_BYTES", 1000)
    registry = models.with_checkpoints(
        [read_checkpoint(save_checkpoint("gpt2", tmp_path / "gpt2"))]
    )
    with pytest.raises(ValueError, match=r"no more than 0 MB go into a file\. SVG, CSV and JSON"):
        npz(make_view(registry, "gpt2"))


def check_reproduction(view, show, tmp_path, numpy_only_folder):
    """The script, run with NumPy alone, makes the figure and the numbers of the view."""
    unpack_reproduction(view, tmp_path, show)
    # Without `site` nothing that is installed can be imported, Headwise itself least of all.
    completed = subprocess.run(
        [sys.executable, "-S", "reproduce.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(numpy_only_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.endswith("the same numbers, to the bit\n")
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == svg(view, show, CSS_RULES)


def test_the_script_notices_other_numbers(models, tmp_path, numpy_only_folder):
    unpack_reproduction(make_view(models), tmp_path)
    stored = dict(np.load(tmp_path / "view.npz"))
    stored["maps"] = np.nextafter(stored["maps"], 1)
    np.savez(tmp_path / "view.npz", **stored)
    completed = subprocess.run(
        [sys.executable, "-S", "reproduce.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(numpy_only_folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "computes otherwise" in completed.stdout


def test_the_notebook_is_valid_and_makes_the_same_figure(models, tmp_path):
    nbformat.validate(nbformat.from_dict(notebook()))
    view = make_view(models)
    unpack_reproduction(view, tmp_path)
    content = nbformat.read(tmp_path / "reproduce.ipynb", as_version=4)
    content.cells.append(nbformat.v4.new_code_cell("import app; print(app.__file__, is_identical)"))
    executed = NotebookClient(content, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert executed.cells[-1].outputs[0].text == f"{tmp_path / 'app' / '__init__.py'} True\n"
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == svg(view, "map", CSS_RULES)


def test_an_archive_contains_no_timestamps(models):
    assert reproduction_archive(make_view(models), "map", CSS_RULES) == reproduction_archive(
        make_view(models), "map", CSS_RULES
    )


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"quoted"'])
def test_what_was_typed_is_escaped_in_the_picture(models, text):
    picture = svg(make_view(models, text=text), "map", CSS_RULES)
    assert "<script" not in picture
    assert picture.count("<title>") >= 1


def test_an_overview_has_a_thumbnail_of_every_head_of_every_layer(models):
    view = make_view(models, "headwise-h8")
    root = ElementTree.fromstring(svg(view, "overview", CSS_RULES))  # noqa: S314
    named = [each.text for each in root.iter() if each.get("class") == "name"]
    assert named == [*map(str, range(8)), "Layer 0", "Layer 1"]
    small = [each for each in root.iter() if "map-thumb" in (each.get("class") or "")]
    assert len(small) == 16


@pytest.mark.parametrize("show", ["grid", "map", "lines", "strip"])
@pytest.mark.parametrize("text", ["cat", "zyzzyva <b> 雪", "the cat " * 20])
def test_every_layout_is_a_picture(models, show, text):
    view = replace(make_view(models, "headwise-h8", text=text), head=0)
    root = ElementTree.fromstring(svg(view, show, CSS_RULES))  # noqa: S314
    heads = [each.text for each in root.iter() if each.get("class") == "name"]
    named = [f"Head {head}" for head in range(8)]
    assert heads == (named if show in ("grid", "strip") else [])


def test_a_strip_has_the_weights_of_the_word_in_each_head(models):
    view = make_view(models, text="Birds sing at dawn")
    root = ElementTree.fromstring(svg(view, "strip", CSS_RULES))  # noqa: S314
    texts = [e.text for e in root.iter() if (e.get("class") or "").startswith("number")]
    rows = [dict(zip(texts[k : k + 8 : 2], texts[k + 1 : k + 8 : 2], strict=True)) for k in (0, 8)]
    for head, row in enumerate(rows):
        assert list(row) == ["Birds", "sing", "at", "dawn"]
        assert row == {
            word.text: format_cell(float(weight))
            for word, weight in zip(view.sentence.words, view.maps[head][0], strict=True)
        }


def test_a_difference_needs_a_head_to_compare_with(models):
    with pytest.raises(ValueError, match="No head is chosen"):
        difference_svg(make_view(models), CSS_RULES)
    picture = difference_svg(make_view(models, minus=("headwise-h1", 0)), CSS_RULES)
    assert "Minus head 0 of headwise-h1." in picture
    assert "rise-" in picture

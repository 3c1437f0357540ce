import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from app.lesson import Controls, LabView
from app.lesson.exports import arrays, as_csv, as_json, npz, reproduction, svg
from app.lesson.reproduce import notebook

RULES = ".paper { fill: #fff; }"
VIEWS = [
    ("headwise-h4", {}),
    ("headwise-h8", {"weighted": True, "off": frozenset({(0, 1), (1, 0)})}),
    ("headwise-h2", {"causal": True, "unscaled": True, "show": "lines"}),
    ("headwise-h8", {"groups": 2}),
    ("headwise-h4-random", {}),
]


def look(models, model="headwise-h4", text="She opened the old wooden door", **controls):
    sentence = models[model].tokenizer.sentence(text)
    return LabView(sentence, models[model], 1, 1, 0, models, controls=Controls(**controls))


def test_the_table_holds_every_weight_of_the_head(models):
    view = look(models)
    (_, *keys), *rows = csv.reader(io.StringIO(as_csv(view)))
    assert keys == [row[0] for row in rows] == list(view.axis.labels)
    weights = np.array([[float(cell) for cell in row[1:]] for row in rows], np.float32)
    assert np.array_equal(weights, view.maps[1])


@pytest.mark.parametrize("text", ["=1+2", "@sum", "-cat", "+cat"])
def test_no_cell_of_the_table_is_a_formula(models, text):
    for row in csv.reader(io.StringIO(as_csv(look(models, text=text)))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_every_intermediate_is_told(models):
    view = look(models, weighted=True)
    told = json.loads(as_json(view))
    assert (told["text"], told["layer"], told["head"]) == (view.sentence.text, 1, 1)
    weights = np.array(told["weights"])
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(np.array(told["q"]) @ np.array(told["k"]).T, told["scores"], atol=1e-4)
    assert np.allclose(np.array(told["scores"]) / np.sqrt(32), told["scaled"], atol=1e-5)
    assert np.allclose(told["weighted_by_length"], view.maps[1])


def test_arrays_need_no_pickle_and_are_the_same_file_every_time(models):
    view = look(models)
    content = npz(view)
    assert content == npz(look(models))
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    assert set(loaded) == set(arrays(view))
    assert np.array_equal(loaded["maps"], view.maps)


def unpacked(view, folder):
    with zipfile.ZipFile(io.BytesIO(reproduction(view, RULES))) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def numpy_alone(tmp_path_factory):
    """A folder to import from that holds NumPy and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    installed = Path(np.__file__).parent.parent
    for name in ("numpy", "numpy.libs"):
        if (installed / name).exists():
            (folder / name).symlink_to(installed / name)
    return folder


@pytest.mark.parametrize(("model", "controls"), VIEWS)
def test_the_script_makes_the_same_figure_with_numpy_alone(
    models, tmp_path, numpy_alone, model, controls
):
    view = look(models, model, **controls)
    unpacked(view, tmp_path)
    # Without `site` nothing that is installed can be imported, Headwise itself least of all.
    done = subprocess.run(
        [sys.executable, "-S", "reproduce.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(numpy_alone)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the same numbers, to the bit\n")
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == svg(view, RULES)


def test_the_script_notices_other_numbers(models, tmp_path, numpy_alone):
    unpacked(look(models), tmp_path)
    stored = dict(np.load(tmp_path / "view.npz"))
    stored["maps"] = np.nextafter(stored["maps"], 1)
    np.savez(tmp_path / "view.npz", **stored)
    done = subprocess.run(
        [sys.executable, "-S", "reproduce.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(numpy_alone)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "computes otherwise" in done.stdout


def test_the_notebook_is_valid_and_makes_the_same_figure(models, tmp_path):
    nbformat.validate(nbformat.from_dict(notebook()))
    view = look(models)
    unpacked(view, tmp_path)
    content = nbformat.read(tmp_path / "reproduce.ipynb", as_version=4)
    content.cells.append(nbformat.v4.new_code_cell("import app; print(app.__file__, same)"))
    done = NotebookClient(content, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert done.cells[-1].outputs[0].text == f"{tmp_path / 'app' / '__init__.py'} True\n"
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == svg(view, RULES)


def test_an_archive_says_nothing_of_when_it_was_made(models):
    assert reproduction(look(models), RULES) == reproduction(look(models), RULES)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"quoted"'])
def test_what_was_typed_is_escaped_in_the_picture(models, text):
    picture = svg(look(models, text=text), RULES)
    assert "<script" not in picture
    assert picture.count("<title>") >= 1

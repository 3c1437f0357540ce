import csv
import io
import json
import zipfile

import numpy as np
import pytest

from app.exports.figure import ExportOptions, FigureRenderer
from app.exports.formats import FORMATS
from app.settings import site_folder
from tests.exports.lab_states import make_lab_state

RENDERER = FigureRenderer.from_static_folder(site_folder("static"))
OPTIONS = ExportOptions("light", "default", 1, "map")


@pytest.fixture(scope="module")
def shuffled(models):
    state = make_lab_state(models, shuffled=True)
    assert state.displayed.axis.labels != state.axis.labels
    return state


def render(file, state):
    return FORMATS[file].render(RENDERER, state, OPTIONS)


def test_every_file_of_a_shuffled_sentence_has_the_shuffled_words(shuffled):
    labels = list(shuffled.displayed.axis.labels)
    (_, *keys), *_ = csv.reader(io.StringIO(render("map.csv", shuffled)))
    assert keys == labels
    assert json.loads(render("view.json", shuffled))["labels"] == labels
    arrays = np.load(io.BytesIO(render("view.npz", shuffled)))
    assert np.array_equal(arrays["maps"], shuffled.displayed.maps)
    assert f"on “{shuffled.displayed.sentence.text}”" in render("map.svg", shuffled)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", shuffled))) as archive:
        assert json.loads(archive.read("view.json"))["labels"] == labels


def test_the_script_and_the_notebook_are_those_of_the_archive(models):
    state = make_lab_state(models)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", state))) as archive:
        for file in ("reproduce.py", "reproduce.ipynb"):
            assert archive.read(file).decode() == render(file, state)


def test_the_archive_draws_with_the_style_of_the_figure(models):
    state = make_lab_state(models)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", state))) as archive:
        assert archive.read("style.css").decode() == RENDERER.css(OPTIONS)
    assert RENDERER.css(OPTIONS) in render("map.svg", state)


def test_only_png_files_are_drawn_one_at_a_time():
    assert [file for file, each in FORMATS.items() if each.is_png] == [
        "map.png",
        "row.png",
        "difference.png",
    ]

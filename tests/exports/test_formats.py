import csv
import io
import json
import zipfile

import numpy as np
import pytest

from app.exports.figure import ExportOptions, FigureRenderer
from app.exports.formats import FORMATS
from app.settings import site_folder
from tests.exports.views import make_view

RENDERER = FigureRenderer.from_static_folder(site_folder("static"))
OPTIONS = ExportOptions("light", "default", 1, "map")


@pytest.fixture(scope="module")
def shuffled_view(models):
    view = make_view(models, shuffled=True)
    assert view.displayed.axis.labels != view.axis.labels
    return view


def render(file, view):
    return FORMATS[file].render(RENDERER, view, OPTIONS)


def test_every_file_of_a_shuffled_sentence_has_the_shuffled_words(shuffled_view):
    labels = list(shuffled_view.displayed.axis.labels)
    (_, *keys), *_ = csv.reader(io.StringIO(render("map.csv", shuffled_view)))
    assert keys == labels
    assert json.loads(render("view.json", shuffled_view))["labels"] == labels
    arrays = np.load(io.BytesIO(render("view.npz", shuffled_view)))
    assert np.array_equal(arrays["maps"], shuffled_view.displayed.maps)
    assert f"on “{shuffled_view.displayed.sentence.text}”" in render("map.svg", shuffled_view)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", shuffled_view))) as archive:
        assert json.loads(archive.read("view.json"))["labels"] == labels


def test_the_script_and_the_notebook_are_those_of_the_archive(models):
    view = make_view(models)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", view))) as archive:
        for file in ("reproduce.py", "reproduce.ipynb"):
            assert archive.read(file).decode() == render(file, view)


def test_the_archive_draws_with_the_style_of_the_figure(models):
    view = make_view(models)
    with zipfile.ZipFile(io.BytesIO(render("reproduce.zip", view))) as archive:
        assert archive.read("style.css").decode() == RENDERER.css(OPTIONS)
    assert RENDERER.css(OPTIONS) in render("map.svg", view)


def test_only_png_files_are_drawn_one_at_a_time():
    assert [file for file, each in FORMATS.items() if each.is_png] == ["map.png", "difference.png"]

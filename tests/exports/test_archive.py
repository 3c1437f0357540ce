import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from app.exports.archive import notebook, reproduction_archive
from app.exports.figure import view_svg
from app.models.checkpoints import read_checkpoint
from tests.exports.views import CSS_RULES, make_view
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

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
    assert completed.stdout.endswith("identical to those of Headwise, bit for bit.\n")
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == view_svg(view, show, CSS_RULES)


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
    assert "differ from those of Headwise" in completed.stdout


def test_the_notebook_is_valid_and_makes_the_same_figure(models, tmp_path):
    nbformat.validate(nbformat.from_dict(notebook()))
    view = make_view(models)
    unpack_reproduction(view, tmp_path)
    content = nbformat.read(tmp_path / "reproduce.ipynb", as_version=4)
    content.cells.append(nbformat.v4.new_code_cell("import app; print(app.__file__, is_identical)"))
    executed = NotebookClient(content, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert executed.cells[-1].outputs[0].text == f"{tmp_path / 'app' / '__init__.py'} True\n"
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == view_svg(view, "map", CSS_RULES)


def test_an_archive_contains_no_timestamps(models):
    assert reproduction_archive(make_view(models), "map", CSS_RULES) == reproduction_archive(
        make_view(models), "map", CSS_RULES
    )

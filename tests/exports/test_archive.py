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
from tests.exports.lab_states import CSS_RULES, make_lab_state
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

CASES = [
    ("headwise-h4", "map", {}),
    ("headwise-h8", "grid", {"weighted": True, "off": frozenset({(0, 1), (1, 0)})}),
    ("headwise-h2", "lines", {"causal": True, "unscaled": True}),
    ("headwise-h8", "strip", {"groups": 2}),
    ("headwise-h4-random", "map", {}),
]

CHECKPOINT_CASES = [
    ("bert", "map", {"hide_special_tokens": True}),
    ("roberta", "strip", {"weighted": True, "hide_special_tokens": True}),
    ("gpt2", "grid", {"unscaled": True, "off": frozenset({(0, 1), (1, 0)})}),
    ("llama", "lines", {"weighted": True}),
    ("llama-biased", "map", {"groups": 1, "hide_special_tokens": True}),
]


def unpack_reproduction(state, folder, layout="map"):
    with zipfile.ZipFile(io.BytesIO(reproduction_archive(state, layout, CSS_RULES))) as archive:
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


def run_script(folder, numpy_only_folder):
    """Run the script with NumPy alone; return what it prints."""
    # Without `site` nothing that is installed can be imported, Headwise itself least of all.
    completed = subprocess.run(
        [sys.executable, "-S", "reproduce.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(numpy_only_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def check_reproduction(state, layout, folder, numpy_only_folder):
    unpack_reproduction(state, folder, layout)
    output = run_script(folder, numpy_only_folder)
    assert output.endswith("identical to those of Headwise, bit for bit.\n")
    assert (folder / "map.svg").read_text(encoding="utf-8") == view_svg(state, layout, CSS_RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case[:2]))
def test_the_script_makes_the_same_figure_with_numpy_alone(
    models, tmp_path, numpy_only_folder, case
):
    model, layout, controls = case
    check_reproduction(
        make_lab_state(models, model, **controls), layout, tmp_path, numpy_only_folder
    )


@pytest.mark.parametrize("case", CHECKPOINT_CASES, ids=lambda case: "-".join(case[:2]))
def test_the_script_makes_the_same_figure_for_checkpoints(
    models, tmp_path, numpy_only_folder, case
):
    kind, layout, controls = case
    model = read_checkpoint(save_checkpoint(kind, tmp_path / kind))
    registry = models.with_checkpoints([model])
    check_reproduction(
        make_lab_state(registry, kind, **controls), layout, tmp_path / "archive", numpy_only_folder
    )


def test_the_script_notices_other_numbers(models, tmp_path, numpy_only_folder):
    unpack_reproduction(make_lab_state(models), tmp_path)
    stored = dict(np.load(tmp_path / "view.npz"))
    stored["maps"] = np.nextafter(stored["maps"], 1)
    np.savez(tmp_path / "view.npz", **stored)
    assert "differ from those of Headwise" in run_script(tmp_path, numpy_only_folder)


def test_the_archive_of_an_overview_draws_the_chosen_head(models):
    archive_of_overview, archive_of_map = (
        reproduction_archive(make_lab_state(models), layout, CSS_RULES)
        for layout in ("overview", "map")
    )
    assert archive_of_overview == archive_of_map


def test_the_notebook_is_valid_and_makes_the_same_figure(models, tmp_path):
    nbformat.validate(nbformat.from_dict(notebook()))
    state = make_lab_state(models)
    unpack_reproduction(state, tmp_path)
    content = nbformat.read(tmp_path / "reproduce.ipynb", as_version=4)
    content.cells.append(nbformat.v4.new_code_cell("import app; print(app.__file__, is_identical)"))
    executed = NotebookClient(content, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert executed.cells[-1].outputs[0].text == f"{tmp_path / 'app' / '__init__.py'} True\n"
    assert (tmp_path / "map.svg").read_text(encoding="utf-8") == view_svg(state, "map", CSS_RULES)


def test_an_archive_contains_no_timestamps(models):
    assert reproduction_archive(make_lab_state(models), "map", CSS_RULES) == reproduction_archive(
        make_lab_state(models), "map", CSS_RULES
    )

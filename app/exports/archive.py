"""A ZIP archive with a script and a notebook that recompute a view, and all files they need."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import app
from app import attention, picture
from app.exports.csv_json_npz import to_npz
from app.exports.metadata import view_metadata
from app.lesson import LabState

SCRIPT_FILE = Path(__file__).parent / "reproduce.py"
"""The script itself: a file of the archive, never imported here."""

CELL_MARKER = "# %% "
"""Begins a cell of the notebook, as in Jupytext's percent format."""

ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""Constant, so that the same view always gives the same bytes."""


def reproduction_archive(state: LabState, layout: str, css: str) -> bytes:
    """Return a ZIP archive that recomputes the view and draws it again, bit for bit.

    Of the layout "overview" it draws the chosen head's map.
    """
    layout = "map" if layout == "overview" else layout
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, text in _text_files(state, layout, css):
            zip_file.writestr(zipfile.ZipInfo(name, ZIP_TIMESTAMP), text, zipfile.ZIP_DEFLATED)
        zip_file.writestr(zipfile.ZipInfo("view.npz", ZIP_TIMESTAMP), to_npz(state))
    return out.getvalue()


def _text_files(state: LabState, layout: str, css: str) -> Iterator[tuple[str, str]]:
    yield "reproduce.py", script()
    yield "reproduce.ipynb", notebook_json()
    yield "view.json", json.dumps(view_metadata(state, layout), indent=1, ensure_ascii=False)
    yield "style.css", css
    yield "app/__init__.py", Path(str(app.__file__)).read_text(encoding="utf-8")
    for package in (attention, picture):
        yield from _source_files(package)


def _source_files(package: ModuleType) -> Iterator[tuple[str, str]]:
    folder = Path(str(package.__file__)).parent
    for file in sorted(folder.glob("*.py")):
        yield f"app/{folder.name}/{file.name}", file.read_text(encoding="utf-8")


def script() -> str:
    """Return the text of `reproduce.py`."""
    return SCRIPT_FILE.read_text(encoding="utf-8")


def notebook() -> dict[str, Any]:
    """Return the script as a Jupyter notebook (format 4.5), one code cell for each `# %%`."""
    introduction, *sections = script().split(CELL_MARKER)
    cells = [_cell(0, "markdown", introduction.strip().strip('"'))]
    for number, section in enumerate(sections, start=1):
        title, _, code = section.partition("\n")
        cells.append(_cell(2 * number - 1, "markdown", f"## {title}"))
        cells.append(_cell(2 * number, "code", code.strip()))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_json() -> str:
    """Return the text of `reproduce.ipynb`."""
    return json.dumps(notebook(), indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "id": f"part-{number}",
        "cell_type": kind,
        "metadata": {},
        "source": source,
    }
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})

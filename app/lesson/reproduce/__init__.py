"""A view to take away whole: a script, a notebook, and all that they need, in one archive.

`reproduce.py` beside this file is the script itself; it is never imported here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import app
from app import attention, picture
from app.lesson.labs.lab_state import LabState

SCRIPT_FILE = Path(__file__).parent / "reproduce.py"
CELL_MARKER = "# %% "


def script() -> str:
    return SCRIPT_FILE.read_text(encoding="utf-8")


def notebook() -> dict[str, Any]:
    """The script as a Jupyter notebook, format 4.5, a cell for each of its parts."""
    introduction, *parts = script().split(CELL_MARKER)
    cells = [_cell(0, "markdown", introduction.strip().strip('"'))]
    for number, part in enumerate(parts, start=1):
        title, _, code = part.partition("\n")
        cells.append(_cell(2 * number - 1, "markdown", f"## {title}"))
        cells.append(_cell(2 * number, "code", code.strip()))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_text() -> str:
    return json.dumps(notebook(), indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "id": f"part-{number}",
        "cell_type": kind,
        "metadata": {},
        "source": source,
    }
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def view_metadata(state: LabState, layout: str, title: str) -> dict[str, Any]:
    """What the script has to know beside the numbers; learners' text is only in its labels."""
    rotary = state.model.transformer.layers[0].attention.rotary
    return {
        "title": title,
        "model": state.model.card.id,
        "source": state.model.card.kind,
        "weights_sha256": state.model.weights_sha256,
        "layer": state.layer,
        "head": state.head,
        "n_heads": state.model.card.n_heads,
        "n_kv_heads": state.controls.groups or state.model.card.n_kv_heads,
        "epsilon": state.model.transformer.layers[0].attention_norm.epsilon,
        "from_inputs": state.archive_starts_at_layer,
        "rotary_base": rotary.base if rotary else None,
        "labels": list(state.axis.labels),
        "word_of": list(state.axis.word_of),
        "queries": list(state.axis.queries),
        "causal": state.controls.causal or state.model.card.causal,
        "scaled": not state.controls.unscaled,
        "weighted": state.controls.weighted,
        "kept": state.visible_indices if state.controls.hide_special_tokens else None,
        "off": sorted(state.controls.off),
        "groups": state.controls.groups,
        "show": layout,
        "word": state.word,
        "words": [word.text for word in state.words],
        "order": [word.index for word in state.words],
    }


def archive_files(state: LabState, layout: str, title: str, css: str) -> Iterator[tuple[str, str]]:
    """The text files of the archive, by name; `view.npz` is `exports.npz`."""
    yield "reproduce.py", script()
    yield "reproduce.ipynb", notebook_text()
    yield "view.json", json.dumps(view_metadata(state, layout, title), indent=1, ensure_ascii=False)
    yield "style.css", css
    yield "app/__init__.py", Path(str(app.__file__)).read_text(encoding="utf-8")
    for package in (attention, picture):
        yield from _package_files(package)


def _package_files(package: ModuleType) -> Iterator[tuple[str, str]]:
    folder = Path(str(package.__file__)).parent
    for file in sorted(folder.glob("*.py")):
        yield f"app/{folder.name}/{file.name}", file.read_text(encoding="utf-8")

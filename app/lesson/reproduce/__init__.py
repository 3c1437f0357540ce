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
from app.lesson.labs.lab_state import LabView

SCRIPT = Path(__file__).parent / "reproduce.py"
CELL = "# %% "


def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def notebook() -> dict[str, Any]:
    """The script as a Jupyter notebook, format 4.5, a cell for each of its parts."""
    introduction, *parts = script().split(CELL)
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


def facts(view: LabView, show: str, title: str) -> dict[str, Any]:
    """What the script has to know beside the numbers; learners' text is only in its labels."""
    rotary = view.model.transformer.layers[0].attention.rotary
    return {
        "title": title,
        "model": view.model.card.id,
        "source": view.model.card.source,
        "weights_sha256": view.model.weights_sha256,
        "layer": view.layer,
        "head": view.head,
        "n_heads": view.model.card.n_heads,
        "n_kv_heads": view.controls.groups or view.model.card.n_sets,
        "epsilon": view.model.transformer.layers[0].attention_norm.epsilon,
        "from_inputs": view.from_inputs,
        "rotary_base": rotary.base if rotary else None,
        "labels": list(view.axis.labels),
        "word_of": list(view.axis.word_of),
        "queries": list(view.axis.queries),
        "causal": view.controls.causal or view.model.card.causal,
        "scaled": not view.controls.unscaled,
        "weighted": view.controls.weighted,
        "kept": view.kept if view.controls.hide else None,
        "off": sorted(view.controls.off),
        "groups": view.controls.groups,
        "show": show,
        "word": view.word,
        "words": [word.text for word in view.words],
        "order": [word.index for word in view.words],
    }


def archive(view: LabView, show: str, title: str, rules: str) -> Iterator[tuple[str, str]]:
    """The text files of the archive, by name; `view.npz` is `exports.npz`."""
    yield "reproduce.py", script()
    yield "reproduce.ipynb", notebook_text()
    yield "view.json", json.dumps(facts(view, show, title), indent=1, ensure_ascii=False)
    yield "style.css", rules
    yield "app/__init__.py", Path(str(app.__file__)).read_text(encoding="utf-8")
    for package in (attention, picture):
        yield from _sources(package)


def _sources(package: ModuleType) -> Iterator[tuple[str, str]]:
    folder = Path(str(package.__file__)).parent
    for file in sorted(folder.glob("*.py")):
        yield f"app/{folder.name}/{file.name}", file.read_text(encoding="utf-8")

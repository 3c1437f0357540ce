"""Sentences with gold heads and relations, from CoNLL-U files.

Source of the format: Universal Dependencies, https://universaldependencies.org/format.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ID, _FORM, _UPOS, _HEAD, _RELATION = 0, 1, 3, 6, 7


@dataclass(frozen=True)
class Tree:
    """Words from 0; `heads[i]` is the word that word i depends on, None for the root.

    `relations` are without their subtypes: "nsubj:pass" is "nsubj".
    """

    words: tuple[str, ...]
    heads: tuple[int | None, ...]
    relations: tuple[str, ...]
    punctuation: tuple[bool, ...]


def read_trees(file: Path) -> Iterator[Tree]:
    """Every sentence of a file. Raises `ValueError` with the line where it is not CoNLL-U."""
    rows: list[list[str]] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            text = line.rstrip("\n")
            if not text and rows:
                yield _tree(rows, f"{file}:{number}")
                rows = []
            elif text and not text.startswith("#"):
                columns = text.split("\t")
                if len(columns) != 10:
                    raise ValueError(f"{file}:{number}: {len(columns)} columns, not 10")
                # 3-4 is the spelling of two words in one, 5.1 an unwritten word.
                if columns[_ID].isdecimal():
                    rows.append(columns)
    if rows:
        yield _tree(rows, str(file))


def _tree(rows: list[list[str]], where: str) -> Tree:
    """`where` is the end of the sentence, for the message of what is wrong with it."""
    for row in rows:
        if not row[_HEAD].isdecimal() or int(row[_HEAD]) > len(rows):
            raise ValueError(f"{where}: {row[_FORM]} depends on {row[_HEAD]!r}, which is no word")
    heads = [int(row[_HEAD]) for row in rows]
    return Tree(
        tuple(row[_FORM] for row in rows),
        tuple(head - 1 if head else None for head in heads),
        tuple(row[_RELATION].partition(":")[0] for row in rows),
        tuple(row[_UPOS] == "PUNCT" for row in rows),
    )

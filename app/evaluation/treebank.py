"""Read sentences with dependency trees from CoNLL-U files.

Source: Universal Dependencies, https://universaldependencies.org/format.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ID, _FORM, _UPOS, _HEAD, _RELATION = 0, 1, 3, 6, 7


@dataclass(frozen=True)
class Tree:
    """A sentence: `heads[i]` is the index of the word that word i depends on, None for the root.

    `relations` have no subtypes: "nsubj:pass" becomes "nsubj". `punctuation[i]` is True if word i
    is punctuation.
    """

    words: tuple[str, ...]
    heads: tuple[int | None, ...]
    relations: tuple[str, ...]
    punctuation: tuple[bool, ...]


def read_trees(file: Path) -> Iterator[Tree]:
    """Yield every sentence of a file.

    Raises `ValueError`, which names the line, if the file is not CoNLL-U.
    """
    rows: list[list[str]] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            text = line.rstrip("\n")
            if not text and rows:
                yield _build_tree(rows, f"{file}:{number}")
                rows = []
            elif text and not text.startswith("#"):
                columns = text.split("\t")
                if len(columns) != 10:
                    raise ValueError(f"{file}:{number}: {len(columns)} columns instead of 10")
                # "3-4" is a token of two words such as "don't", "5.1" an omitted word.
                if columns[_ID].isdecimal():
                    rows.append(columns)
    if rows:
        yield _build_tree(rows, str(file))


def _build_tree(rows: list[list[str]], location: str) -> Tree:
    """Build the tree of a sentence that ends at `location`, which is used in messages."""
    for row in rows:
        if not row[_HEAD].isdecimal() or int(row[_HEAD]) > len(rows):
            raise ValueError(
                f"{location}: {row[_FORM]} depends on {row[_HEAD]!r}, which is not a word"
            )
    heads = [int(row[_HEAD]) for row in rows]
    return Tree(
        tuple(row[_FORM] for row in rows),
        tuple(head - 1 if head else None for head in heads),
        tuple(row[_RELATION].partition(":")[0] for row in rows),
        tuple(row[_UPOS] == "PUNCT" for row in rows),
    )

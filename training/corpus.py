"""Stage 1: split books (one paragraph per line) into sentences (one per line).

    python -m training.corpus --books FOLDER

FOLDER contains `train.txt.xz` and `valid.txt.xz`.
"""

import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.models.atomic import atomic_write
from training.paths import SPLITS, sentences_file, stage_parser

_ABBREVIATIONS = """
    mr mrs ms dr st mt rev hon prof col gen capt lieut lt sgt maj no vol ch fig messrs mme mlle
    jr sr esq vs etc viz cf ed pp
""".split()  # noqa: SIM905
_SENTENCE_END = re.compile(r"""[.!?]+["')\]]*\s+(?=["'(\[]*[A-Z0-9])""")
_MARKUP = re.compile(r"[_*#|]+")
_SPACE = re.compile(r"\s+")
_LAST_WORD = re.compile(r"(\w+)\W*$")


def split_sentences(paragraph: str) -> Iterator[str]:
    """Split a paragraph after `.`, `!` or `?` before a capital, except after "Mr." or "J."."""
    text = _SPACE.sub(" ", _MARKUP.sub("", paragraph)).strip()
    start = 0
    for end in _SENTENCE_END.finditer(text):
        before = _LAST_WORD.search(text, start, end.start() + 1)
        word = before.group(1).lower() if before else ""
        if text[end.start()] == "." and (
            word in _ABBREVIATIONS or (len(word) == 1 and word != "i")
        ):
            continue
        yield text[start : end.end()].strip()
        start = end.end()
    if text[start:]:
        yield text[start:]


def is_prose(sentence: str) -> bool:
    """Return False for horizontal rules, page numbers and headings in capitals."""
    letters = [character for character in sentence if character.isalpha()]
    return len(letters) > 0.6 * len(sentence) and any(letter.islower() for letter in letters)


def write_sentences(paragraphs: Iterable[str], path: Path) -> int:
    count = 0
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as out:
        for paragraph in paragraphs:
            for sentence in filter(is_prose, split_sentences(paragraph)):
                out.write(sentence + "\n")
                count += 1
    return count


def main() -> None:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "--books", type=Path, required=True, help="folder with train and valid .txt.xz"
    )
    arguments = parser.parse_args()
    for split in SPLITS:
        path = sentences_file(arguments.build, split)
        with lzma.open(arguments.books / f"{split}.txt.xz", "rt", encoding="utf-8") as paragraphs:
            print(f"{path}: {write_sentences(paragraphs, path):,} sentences")


if __name__ == "__main__":
    main()

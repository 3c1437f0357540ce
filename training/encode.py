"""Stage 3: convert sentences to one long row of token ids and the indices of sentence starts.

python -m training.encode
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from app.models.atomic import atomic_write
from training.paths import (
    SPLITS,
    sentences_file,
    stage_parser,
    starts_file,
    tokenizer_file,
    tokens_file,
)

_BATCH_SENTENCES = 20_000


def encode_lines(tokenizer: Tokenizer, path: Path) -> Iterator[list[int]]:
    """Yield the token ids of each line of a file."""
    with path.open(encoding="utf-8") as lines:
        while batch := [line.rstrip("\n") for line in islice(lines, _BATCH_SENTENCES)]:
            for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                yield encoding.ids


def encode_split(tokenizer: Tokenizer, build: Path, split: str) -> tuple[int, int]:
    """Write tokens (n_tokens,) uint16 and starts (n_sentences,) int64. Returns both lengths."""
    rows = [
        np.array(ids, np.uint16)
        for ids in encode_lines(tokenizer, sentences_file(build, split))
        if ids
    ]
    tokens = np.concatenate(rows)
    starts = np.cumsum([0, *(len(row) for row in rows[:-1])], dtype=np.int64)
    for path, array in ((tokens_file(build, split), tokens), (starts_file(build, split), starts)):
        with atomic_write(path) as partial, partial.open("wb") as out:
            np.save(out, array)
    return len(tokens), len(starts)


def main() -> None:
    arguments = stage_parser(__doc__).parse_args()
    tokenizer = Tokenizer.from_file(str(tokenizer_file(arguments.build)))
    for split in SPLITS:
        n_tokens, n_sentences = encode_split(tokenizer, arguments.build, split)
        print(f"{split}: {n_tokens:,} tokens in {n_sentences:,} sentences")


if __name__ == "__main__":
    main()

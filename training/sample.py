"""A small fixed text sample with masked tokens.

Each card contains the loss on it, so anybody can check the shipped weights without the books; see
`tests/models/test_builtin.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.masking import MaskedBatch, mask_batch
from training.tokenizer import SPECIAL_TOKENS

SAMPLE_FILE = Path(__file__).parent / "sample.txt"
SEED = 1_706


def sample_batches(tokenizer: Tokenizer) -> Iterator[MaskedBatch]:
    """Yield one batch (1, n) for each sentence of `sample.txt`, masked as in training."""
    rng = np.random.default_rng(SEED)
    for sentence in SAMPLE_FILE.read_text(encoding="utf-8").splitlines():
        ids = np.array([tokenizer.encode(sentence).ids])
        yield mask_batch(
            ids,
            rng,
            mask_id=SPECIAL_TOKENS.index("[MASK]"),
            n_special=len(SPECIAL_TOKENS),
            vocabulary=tokenizer.get_vocab_size(),
        )

"""What a model's loss becomes when a head is switched off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.transformer import Transformer, forward, logits
from app.evaluation.head_statistics import UNWATCHED, Watch
from app.evaluation.report import HeadRecord

MASKED_SHARE = 0.15

Ids = NDArray[np.int64]
Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """Tokens that a model reads, and the true tokens that it must guess at some of the places."""

    shown: Ids  # (n,)
    at: Ids  # (n_asked,)
    truth: Ids  # (n_asked,)


def hidden_words(ids: Ids, plain: Sequence[int], mask_id: int, rng: np.random.Generator) -> Asked:
    """15 % of the tokens at the places `plain` hidden, at least one, every one of them by the mask.

    Source of the share: Devlin et al. 2019, section 3.1.
    """
    chosen = rng.random(len(plain)) < MASKED_SHARE
    if not chosen.any():
        chosen[rng.integers(len(plain))] = True
    at = np.asarray(plain)[chosen]
    shown = ids.copy()
    shown[at] = mask_id
    return Asked(shown, at, ids[at])


def next_words(ids: Ids) -> Asked:
    """Every token but the first, to be guessed from those before it."""
    return Asked(ids, np.arange(len(ids) - 1), ids[1:])


def token_losses(
    model: Transformer, questions: Iterable[Asked], intervention: Intervention = NO_INTERVENTION
) -> Losses:
    """Cross-entropy in nats of every asked-for token, (n_asked,) over all questions."""
    losses = []
    for asked in questions:
        hidden = forward(model, asked.shown.tolist(), intervention=intervention).hidden
        assert hidden is not None  # noqa: S101  # no last layer was named
        scores = logits(model, hidden[asked.at]).astype(np.float64)
        scores -= scores.max(axis=-1, keepdims=True)
        chosen = scores[np.arange(len(scores)), asked.truth]
        losses.append(np.log(np.exp(scores).sum(axis=-1)) - chosen)
    return np.concatenate(losses)


def change(changed: Losses, whole: Losses) -> tuple[float, float]:
    """Mean change of the loss in nats, and half the width of its 95 % interval, paired."""
    by = changed - whole
    half = 1.96 * by.std(ddof=1) / np.sqrt(len(by))
    return round(float(by.mean()), 4), round(float(half), 4)


def with_ablations(
    model: Transformer,
    records: Sequence[HeadRecord],
    questions: Sequence[Asked],
    watch: Watch = UNWATCHED,
) -> tuple[HeadRecord, ...]:
    """The records with the change of loss when each head's output is zeroed."""
    whole = token_losses(model, watch.over("the loss", questions))
    changed = []
    for record in records:
        off = Intervention(ablated_heads=frozenset({(record.layer, record.head)}))
        without = watch.over("the loss without each head", questions)
        by, half = change(token_losses(model, without, off), whole)
        changed.append(record.model_copy(update={"ablation": by, "ablation_half": half}))
    return tuple(changed)

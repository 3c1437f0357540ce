"""Loss of a model without one of its heads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.attention.forward_pass import forward
from app.attention.intervention import NO_INTERVENTION, Intervention
from app.attention.transformer import Transformer, logits
from app.evaluation.progress import NO_PROGRESS, Progress
from app.evaluation.report import HeadRecord

MASKED_SHARE = 0.15
"""Share of tokens that are masked. Source: Devlin et al. 2019, section 3.1."""

TokenIds = NDArray[np.int64]
Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """Input tokens of a sentence, and the tokens to predict at some positions."""

    input_ids: TokenIds  # (n,)
    positions: TokenIds  # (n_targets,)
    target_ids: TokenIds  # (n_targets,)


def mask_tokens(
    ids: TokenIds, content_indices: Sequence[int], mask_token_id: int, rng: np.random.Generator
) -> Targets:
    """Mask 15 % of the tokens at `content_indices`, at least one. The masked tokens are targets."""
    chosen = rng.random(len(content_indices)) < MASKED_SHARE
    if not chosen.any():
        chosen[rng.integers(len(content_indices))] = True
    positions = np.asarray(content_indices)[chosen]
    input_ids = ids.copy()
    input_ids[positions] = mask_token_id
    return Targets(input_ids, positions, ids[positions])


def next_token_targets(ids: TokenIds) -> Targets:
    """Make every token but the first a target, predicted from the tokens before it."""
    return Targets(ids, np.arange(len(ids) - 1), ids[1:])


def token_losses(
    model: Transformer, targets: Iterable[Targets], intervention: Intervention = NO_INTERVENTION
) -> Losses:
    """Return the cross-entropy of every target in nats, (n_targets of all sentences,)."""
    losses = []
    for each in targets:
        hidden = forward(model, each.input_ids.tolist(), intervention=intervention).hidden
        assert hidden is not None  # noqa: S101  # without `last_layer`, the pass is complete
        scores = logits(model, hidden[each.positions]).astype(np.float64)
        scores -= scores.max(axis=-1, keepdims=True)
        target_scores = scores[np.arange(len(scores)), each.target_ids]
        losses.append(np.log(np.exp(scores).sum(axis=-1)) - target_scores)
    return np.concatenate(losses)


def paired_difference(ablated: Losses, baseline: Losses) -> tuple[float, float]:
    """Return the mean change of the loss and half the width of its 95 % interval, in nats.

    Losses are paired by target.
    """
    differences = ablated - baseline
    half_width = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))
    return round(float(differences.mean()), 4), round(float(half_width), 4)


def add_ablation_losses(
    model: Transformer,
    records: Sequence[HeadRecord],
    targets: Sequence[Targets],
    progress: Progress = NO_PROGRESS,
) -> tuple[HeadRecord, ...]:
    """Return the records with the change of the loss when the output of each head is zeroed."""
    baseline = token_losses(model, progress.track("loss", targets))
    ablated = []
    for record in records:
        intervention = Intervention(ablated_heads=frozenset({(record.layer, record.head)}))
        tracked = progress.track("loss without each head", targets)
        difference, half_width = paired_difference(
            token_losses(model, tracked, intervention), baseline
        )
        ablated.append(
            record.model_copy(update={"ablation": difference, "ablation_half": half_width})
        )
    return tuple(ablated)

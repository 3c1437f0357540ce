"""Stage 6: every head of the shipped models, measured on a treebank.

    python -m training.measure --treebank FOLDER

FOLDER holds `ewt-dev.conllu` and `ewt-test.conllu`, Universal Dependencies English EWT. What losses
become without a head, and with shared keys and values, is measured on the validation tokens of
stage 3.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.attention import Intervention, Transformer, random_twin
from app.attention.intervene import NONE
from app.attention.transformer import forward, logits, with_shared_keys
from app.models import Model, shipped_family
from app.models.evidence import Evidence, HeadRecord, Pooled, evidence_file
from app.models.family import FAMILY, digest, weights_file
from app.models.measuring import (
    Counts,
    Reading,
    baselines,
    counted,
    head_records,
    reading,
    twin_tops,
)
from app.models.treebank import read_trees
from training.masking import MaskedBatch, masked
from training.paths import stage_parser, written_whole
from training.tokenizer import SPECIAL_TOKENS
from training.train import VALIDATION_SEED, load_text

TREEBANK = "Universal Dependencies English EWT"
LICENCE = "CC BY-SA 4.0"
TWIN_SEEDS = (0, 1, 2, 3, 4)
ABLATION_WINDOWS = 300

Losses = NDArray[np.float64]


def readings(file: Path, model: Model) -> tuple[list[Reading], int]:
    """The sentences that the model can read, and how many it cannot."""
    trees = list(read_trees(file))
    read = [reading(tree, model.tokenizer, model.card.max_tokens) for tree in trees]
    kept = [each for each in read if each]
    return kept, len(trees) - len(kept)


def masked_losses(
    model: Transformer, batch: MaskedBatch, intervention: Intervention = NONE
) -> Losses:
    """Cross-entropy in nats of every asked-for token (n_masked,), in NumPy."""
    losses = []
    for shown, truth, at in zip(batch.shown, batch.truth, batch.at, strict=True):
        hidden = forward(model, shown, intervention=intervention).hidden
        assert hidden is not None
        scores = logits(model, hidden[at]).astype(np.float64)
        scores -= scores.max(axis=-1, keepdims=True)
        chosen = scores[np.arange(len(scores)), truth[at]]
        losses.append(np.log(np.exp(scores).sum(axis=-1)) - chosen)
    return np.concatenate(losses)


def validation_batch(model: Model, build: Path) -> MaskedBatch:
    text = load_text(build, "valid")
    rng = np.random.default_rng(VALIDATION_SEED)
    return masked(
        text.windows(rng, ABLATION_WINDOWS, model.card.max_tokens),
        rng,
        mask_id=SPECIAL_TOKENS.index("[MASK]"),
        n_special=len(SPECIAL_TOKENS),
        vocabulary=model.card.vocabulary,
    )


def change(changed: Losses, whole: Losses) -> tuple[float, float]:
    """Mean change of the loss in nats, and half the width of its 95 % interval, paired."""
    by = changed - whole
    half = 1.96 * by.std(ddof=1) / np.sqrt(len(by))
    return round(float(by.mean()), 4), round(float(half), 4)


def with_ablations(
    model: Model, records: tuple[HeadRecord, ...], batch: MaskedBatch
) -> tuple[HeadRecord, ...]:
    """The records with the change of loss when each head's output is zeroed."""
    whole = masked_losses(model.transformer, batch)
    changed = []
    for record in records:
        off = Intervention(heads_off=frozenset({(record.layer, record.head)}))
        by, half = change(masked_losses(model.transformer, batch, off), whole)
        changed.append(record.model_copy(update={"ablation": by, "ablation_half": half}))
    return tuple(changed)


def with_shared(model: Model, batch: MaskedBatch) -> tuple[Pooled, ...]:
    """The change of loss when heads share keys and values, fewer and fewer of them."""
    whole = masked_losses(model.transformer, batch)
    found = []
    groups = model.card.n_heads // 2
    while groups:
        by, half = change(masked_losses(with_shared_keys(model.transformer, groups), batch), whole)
        found.append(Pooled(groups=groups, change=by, half=half))
        groups //= 2
    return tuple(found)


def measured(model: Model, treebank: Path, build: Path) -> Evidence:
    dev, _ = readings(treebank / "ewt-dev.conllu", model)
    test, left_out = readings(treebank / "ewt-test.conllu", model)
    twins: list[tuple[Counts, Counts]] = []
    for seed in TWIN_SEEDS:
        twin = random_twin(model.transformer, seed)
        twins.append((counted(twin, dev), counted(twin, test)))
    transformer = model.transformer
    on_test = counted(transformer, test)
    records = head_records(transformer, counted(transformer, dev), on_test)
    batch = validation_batch(model, build)
    return Evidence(
        model=model.card.id,
        weights_sha256=digest(weights_file(model.folder.parent, model.card.id)),
        treebank=TREEBANK,
        licence=LICENCE,
        sentences=len(test),
        left_out=left_out,
        words=on_test.words,
        command="python -m training.measure --treebank FOLDER",
        heads=with_ablations(model, records, batch),
        baselines=baselines(dev, test, twins),
        twin_tops=twin_tops(on_test for _, on_test in twins),
        pooled=with_shared(model, batch),
    )


def arguments() -> argparse.Namespace:
    parser = stage_parser(__doc__)
    parser.add_argument("--treebank", type=Path, required=True, help="folder of the .conllu files")
    parser.add_argument("--family", type=Path, default=FAMILY, help="folder of the shipped models")
    parser.add_argument("--heads", type=int, help="only the model of so many heads")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    for model in shipped_family(given.family).of_source("trained"):
        if given.heads not in (None, model.card.n_heads):
            continue
        evidence = measured(model, given.treebank, given.build)
        with written_whole(evidence_file(model.folder)) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
        print(f"{model.card.id}: {len(evidence.relations_found)} relations found", flush=True)
        for head in evidence.heads:
            print(f"  {head.layer}.{head.head}: {', '.join(evidence.labels(head))}"
                  f" (without it {head.ablation})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

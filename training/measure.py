"""Stage 6: every head of the shipped models, measured on a treebank.

    python -m training.measure --treebank FOLDER

FOLDER holds `ewt-dev.conllu` and `ewt-test.conllu`, Universal Dependencies English EWT. With the
validation tokens of stage 3 at hand, each head's ablation is measured too.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.attention import Intervention, random_twin
from app.attention.transformer import forward, logits
from app.models import Model, shipped_family
from app.models.evidence import Evidence, HeadRecord, evidence_file
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
from training.paths import stage_parser, starts_file, written_whole
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


def masked_losses(model: Model, batch: MaskedBatch, intervention: Intervention) -> Losses:
    """Cross-entropy in nats of every asked-for token (n_masked,), in NumPy."""
    losses = []
    for shown, truth, at in zip(batch.shown, batch.truth, batch.at, strict=True):
        hidden = forward(model.transformer, shown, intervention=intervention).hidden
        assert hidden is not None
        scores = logits(model.transformer, hidden[at]).astype(np.float64)
        scores -= scores.max(axis=-1, keepdims=True)
        chosen = scores[np.arange(len(scores)), truth[at]]
        losses.append(np.log(np.exp(scores).sum(axis=-1)) - chosen)
    return np.concatenate(losses)


def with_ablations(
    model: Model, records: tuple[HeadRecord, ...], build: Path
) -> tuple[HeadRecord, ...]:
    """The records with the change of loss when each head's output is zeroed."""
    text = load_text(build, "valid")
    rng = np.random.default_rng(VALIDATION_SEED)
    batch = masked(
        text.windows(rng, ABLATION_WINDOWS, model.card.max_tokens),
        rng,
        mask_id=SPECIAL_TOKENS.index("[MASK]"),
        n_special=len(SPECIAL_TOKENS),
        vocabulary=model.card.vocabulary,
    )
    whole = masked_losses(model, batch, Intervention())
    changed = []
    for record in records:
        off = Intervention(heads_off=frozenset({(record.layer, record.head)}))
        change = masked_losses(model, batch, off) - whole
        half = 1.96 * change.std(ddof=1) / np.sqrt(len(change))
        figures = {"ablation": change.mean(), "ablation_half": half}
        changed.append(
            record.model_copy(update={name: round(float(v), 4) for name, v in figures.items()})
        )
    return tuple(changed)


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
    if starts_file(build, "valid").exists():
        records = with_ablations(model, records, build)
    return Evidence(
        model=model.card.id,
        weights_sha256=digest(weights_file(model.folder.parent, model.card.id)),
        treebank=TREEBANK,
        licence=LICENCE,
        sentences=len(test),
        left_out=left_out,
        words=on_test.words,
        command="python -m training.measure --treebank FOLDER",
        heads=records,
        baselines=baselines(dev, test, twins),
        twin_tops=twin_tops(on_test for _, on_test in twins),
    )


def arguments() -> argparse.Namespace:
    parser = stage_parser(__doc__)
    parser.add_argument("--treebank", type=Path, required=True, help="folder of the .conllu files")
    parser.add_argument("--family", type=Path, default=FAMILY, help="folder of the shipped models")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    for model in shipped_family(given.family).of_source("trained"):
        evidence = measured(model, given.treebank, given.build)
        with written_whole(evidence_file(model.folder)) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
        print(f"{model.card.id}: {len(evidence.relations_found)} relations found", flush=True)
        for head in evidence.heads:
            print(f"  {head.layer}.{head.head}: {', '.join(evidence.labels(head))}"
                  f" (without it {head.ablation})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

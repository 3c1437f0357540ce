"""Stage 6: measure every head of the shipped models on a treebank.

    python -m training.measure --treebank FOLDER

FOLDER contains `ewt-dev.conllu` and `ewt-test.conllu`, Universal Dependencies English EWT. The loss
without each head, and with shared keys and values, is measured on the validation tokens of stage 3.
"""

import argparse
from pathlib import Path

import numpy as np

from app.attention import Intervention
from app.evaluation.ablation import Targets, add_ablation_losses, paired_difference, token_losses
from app.evaluation.head_statistics import TokenisedTree, evaluate_heads, tokenise_trees
from app.evaluation.report import Evidence, KvPoolingLoss, evidence_file
from app.evaluation.treebank import read_trees
from app.models import Model, load_builtin_models
from app.models.atomic import atomic_write
from app.models.builtin import BUILTIN_FOLDER
from training.masking import MaskedBatch, mask_batch
from training.paths import stage_parser
from training.tokenizer import SPECIAL_TOKENS
from training.train import VALIDATION_SEED, load_encoded_text

TREEBANK = "Universal Dependencies English EWT"
LICENCE = "CC BY-SA 4.0"
UNTRAINED_SEEDS = (0, 1, 2, 3, 4)
ABLATION_WINDOWS = 300


def tokenise_treebank(file: Path, model: Model) -> tuple[list[TokenisedTree], int]:
    return tokenise_trees(read_trees(file), model.tokenizer, model.card.max_tokens)


def validation_targets(model: Model, build: Path) -> list[Targets]:
    """Return windows of the validation books with masked tokens."""
    text = load_encoded_text(build, "valid")
    rng = np.random.default_rng(VALIDATION_SEED)
    batch = mask_batch(
        text.windows(rng, ABLATION_WINDOWS, model.card.max_tokens),
        rng,
        mask_id=SPECIAL_TOKENS.index("[MASK]"),
        n_special=len(SPECIAL_TOKENS),
        vocabulary=model.card.vocabulary,
    )
    return targets_from_batch(batch)


def targets_from_batch(batch: MaskedBatch) -> list[Targets]:
    return [
        Targets(input_ids, np.flatnonzero(is_target), original_ids[is_target])
        for input_ids, original_ids, is_target in zip(
            batch.input_ids, batch.original_ids, batch.is_target, strict=True
        )
    ]


def measure_kv_pooling(model: Model, targets: list[Targets]) -> tuple[KvPoolingLoss, ...]:
    """Return the change of the loss when more and more heads share their keys and values."""
    baseline_losses = token_losses(model.transformer, targets)
    pooling_losses = []
    groups = model.card.n_heads // 2
    while groups:
        pooled = Intervention(groups=groups)
        mean_change, half_width = paired_difference(
            token_losses(model.transformer, targets, pooled), baseline_losses
        )
        pooling_losses.append(KvPoolingLoss(groups=groups, change=mean_change, half=half_width))
        groups //= 2
    return tuple(pooling_losses)


def measure_model(model: Model, treebank: Path, build: Path) -> Evidence:
    dev, _ = tokenise_treebank(treebank / "ewt-dev.conllu", model)
    test, n_left_out = tokenise_treebank(treebank / "ewt-test.conllu", model)
    evaluation = evaluate_heads(model.transformer, dev, test, UNTRAINED_SEEDS)
    targets = validation_targets(model, build)
    return Evidence(
        model=model.card.id,
        weights_sha256=model.weights_sha256,
        treebank=TREEBANK,
        licence=LICENCE,
        sentences=len(test),
        left_out=n_left_out,
        words=evaluation.words,
        command="python -m training.measure --treebank FOLDER",
        heads=add_ablation_losses(model.transformer, evaluation.heads, targets),
        baselines=evaluation.baselines,
        untrained_top_shares=evaluation.untrained_top_shares,
        pooled=measure_kv_pooling(model, targets),
    )


def parse_arguments() -> argparse.Namespace:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "--treebank", type=Path, required=True, help="folder with the .conllu files"
    )
    parser.add_argument(
        "--models", type=Path, default=BUILTIN_FOLDER, help="folder of the shipped models"
    )
    parser.add_argument(
        "--heads", type=int, help="measure only the model with this number of heads"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    for model in load_builtin_models(arguments.models).of_kind("trained"):
        if arguments.heads not in (None, model.card.n_heads):
            continue
        evidence = measure_model(model, arguments.treebank, arguments.build)
        with atomic_write(evidence_file(model.folder)) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
        print(f"{model.card.id}: {len(evidence.relations_found)} relations found", flush=True)
        for head in evidence.heads:
            print(f"  {head.layer}.{head.head}: {', '.join(evidence.labels(head))}"
                  f" (without it {head.ablation})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

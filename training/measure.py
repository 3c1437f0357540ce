"""Stage 6: every head of the shipped models, measured on a treebank.

    python -m training.measure --treebank FOLDER

FOLDER holds `ewt-dev.conllu` and `ewt-test.conllu`, Universal Dependencies English EWT. What losses
become without a head, and with shared keys and values, is measured on the validation tokens of
stage 3.
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
from training.masking import MaskedBatch, masked
from training.paths import stage_parser
from training.tokenizer import SPECIAL_TOKENS
from training.train import VALIDATION_SEED, load_text

TREEBANK = "Universal Dependencies English EWT"
LICENCE = "CC BY-SA 4.0"
TWIN_SEEDS = (0, 1, 2, 3, 4)
ABLATION_WINDOWS = 300


def readings_of(file: Path, model: Model) -> tuple[list[TokenisedTree], int]:
    return tokenise_trees(read_trees(file), model.tokenizer, model.card.max_tokens)


def validation(model: Model, build: Path) -> list[Targets]:
    """Windows of the validation books with masked tokens."""
    text = load_text(build, "valid")
    rng = np.random.default_rng(VALIDATION_SEED)
    batch = masked(
        text.windows(rng, ABLATION_WINDOWS, model.card.max_tokens),
        rng,
        mask_id=SPECIAL_TOKENS.index("[MASK]"),
        n_special=len(SPECIAL_TOKENS),
        vocabulary=model.card.vocabulary,
    )
    return asked_of(batch)


def asked_of(batch: MaskedBatch) -> list[Targets]:
    return [
        Targets(shown, np.flatnonzero(at), truth[at])
        for shown, truth, at in zip(batch.shown, batch.truth, batch.at, strict=True)
    ]


def with_shared(model: Model, questions: list[Targets]) -> tuple[KvPoolingLoss, ...]:
    """The change of loss when heads share keys and values, fewer and fewer of them."""
    whole = token_losses(model.transformer, questions)
    found = []
    groups = model.card.n_heads // 2
    while groups:
        shared = Intervention(groups=groups)
        by, half = paired_difference(token_losses(model.transformer, questions, shared), whole)
        found.append(KvPoolingLoss(groups=groups, change=by, half=half))
        groups //= 2
    return tuple(found)


def measured(model: Model, treebank: Path, build: Path) -> Evidence:
    dev, _ = readings_of(treebank / "ewt-dev.conllu", model)
    test, left_out = readings_of(treebank / "ewt-test.conllu", model)
    found = evaluate_heads(model.transformer, dev, test, TWIN_SEEDS)
    questions = validation(model, build)
    return Evidence(
        model=model.card.id,
        weights_sha256=model.weights_sha256,
        treebank=TREEBANK,
        licence=LICENCE,
        sentences=len(test),
        left_out=left_out,
        words=found.words,
        command="python -m training.measure --treebank FOLDER",
        heads=add_ablation_losses(model.transformer, found.heads, questions),
        baselines=found.baselines,
        untrained_top_shares=found.untrained_top_shares,
        pooled=with_shared(model, questions),
    )


def arguments() -> argparse.Namespace:
    parser = stage_parser(__doc__)
    parser.add_argument("--treebank", type=Path, required=True, help="folder of the .conllu files")
    parser.add_argument(
        "--family", type=Path, default=BUILTIN_FOLDER, help="folder of the shipped models"
    )
    parser.add_argument("--heads", type=int, help="only the model of so many heads")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    for model in load_builtin_models(given.family).of_kind("trained"):
        if given.heads not in (None, model.card.n_heads):
            continue
        evidence = measured(model, given.treebank, given.build)
        with atomic_write(evidence_file(model.folder)) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
        print(f"{model.card.id}: {len(evidence.relations_found)} relations found", flush=True)
        for head in evidence.heads:
            print(f"  {head.layer}.{head.head}: {', '.join(evidence.labels(head))}"
                  f" (without it {head.ablation})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

"""A checkpoint's heads measured on a treebank, as those of the shipped models were."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.evaluation.ablation import Targets, add_ablation_losses, mask_tokens, next_token_targets
from app.evaluation.head_statistics import TokenisedTree, evaluate_heads, tokenise_trees
from app.evaluation.progress import ProgressBar
from app.evaluation.report import Evidence, evidence_file
from app.evaluation.treebank import Tree, read_trees
from app.models.atomic import atomic_write
from app.models.checkpoints.loader import read_checkpoint
from app.models.model import Model

N_UNTRAINED = 5
N_ABLATION_SENTENCES = 100
MASK_SEED = 0
"""Of what is hidden; twins have the seeds from 0 on."""

Item = TypeVar("Item")


class NotMeasurableError(ValueError):
    """The message says why, and the way out."""


@dataclass(frozen=True)
class Plan:
    """What to measure on, and how much of it.

    Of one file every other sentence chooses heads and distances, and the others are reported; of
    two files the first chooses. At most `max_sentences` are read of a file, all if it is None.
    `n_ablation_sentences` is how many of the reported sentences tell the loss without each head.
    """

    treebank_files: tuple[Path, ...]
    max_sentences: int | None = None
    n_untrained: int = N_UNTRAINED
    n_ablation_sentences: int = N_ABLATION_SENTENCES
    treebank_name: str = ""
    licence: str = ""

    @property
    def treebank(self) -> str:
        return self.treebank_name or " and ".join(file.stem for file in self.treebank_files)


def measure(folder: Path, plan: Plan) -> Evidence:
    """The record, which is written beside the weights.

    Raises `CheckpointError`, `NotMeasurableError`.
    """
    dev_trees, test_trees = dev_test_split(plan)
    model = read_checkpoint(folder)
    (dev, _), (test, left_out) = (
        tokenise_trees(trees, model.tokenizer, model.card.max_tokens)
        for trees in (dev_trees, test_trees)
    )
    if not dev or not test:
        raise NotMeasurableError(
            f"{model.card.id} can read too few sentences of {plan.treebank}: {len(dev)} to choose"
            f" heads by and {len(test)} to report. Take more with --sentences, or another treebank."
        )
    evidence = build_evidence(model, plan, dev, test, left_out)
    write_evidence(folder, evidence)
    return evidence


def dev_test_split(plan: Plan) -> tuple[list[Tree], list[Tree]]:
    """The sentences that choose, and those that are reported. Raises `NotMeasurableError`."""
    if not 1 <= len(plan.treebank_files) <= 2:
        raise NotMeasurableError("--treebank takes one file, or two: to choose by, and to report")
    trees = [evenly_spaced(trees_of(file), plan.max_sentences) for file in plan.treebank_files]
    return (trees[0][::2], trees[0][1::2]) if len(trees) == 1 else (trees[0], trees[1])


def trees_of(file: Path) -> list[Tree]:
    try:
        return list(read_trees(file))
    except UnicodeDecodeError as error:
        raise NotMeasurableError(f"{file} is no text in UTF-8: {error}") from error
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise NotMeasurableError(f"{error}. Treebanks are read as CoNLL-U.") from error


def evenly_spaced(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most so many, from beginning to end: the texts of a treebank are of several kinds."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]


def build_evidence(
    model: Model,
    plan: Plan,
    dev: Sequence[TokenisedTree],
    test: Sequence[TokenisedTree],
    left_out: int,
) -> Evidence:
    ablation_trees = evenly_spaced(test, plan.n_ablation_sentences)
    targets = targets_of(model, ablation_trees)
    n_heads = model.card.n_layers * model.card.n_heads
    n_passes = (1 + plan.n_untrained) * (len(dev) + len(test)) + (1 + n_heads) * len(targets)
    with ProgressBar(n_passes) as progress:
        evaluation = evaluate_heads(model.transformer, dev, test, range(plan.n_untrained), progress)
        heads = evaluation.heads
        if targets:
            heads = add_ablation_losses(model.transformer, heads, targets, progress)
    return Evidence(
        model=model.card.id,
        weights_sha256=model.weights_sha256,
        treebank=plan.treebank,
        licence=plan.licence,
        sentences=len(test),
        left_out=left_out,
        words=evaluation.words,
        command=reproduce_command(model, plan),
        heads=heads,
        baselines=evaluation.baselines,
        untrained_top_shares=evaluation.untrained_top_shares,
        ablation_text=ablation_text(model, len(targets)),
    )


def targets_of(model: Model, test: Sequence[TokenisedTree]) -> list[Targets]:
    """What the model is asked to guess, none if it guesses nothing."""
    rng, mask_id = np.random.default_rng(MASK_SEED), model.tokenizer.mask_token_id
    if model.card.predicts == "next":
        targets = [next_token_targets(np.array(each.ids)) for each in test]
    elif model.card.predicts == "hidden" and mask_id is not None:
        targets = [
            mask_tokens(np.array(each.ids), each.content_indices, mask_id, rng) for each in test
        ]
    else:
        return []
    # Of a single token no interval is known.
    return targets if sum(len(each.positions) for each in targets) > 1 else []


def ablation_text(model: Model, n_sentences: int) -> str:
    if not n_sentences:
        return ""
    objectives = {
        "hidden": f"15 % of their tokens hidden by {model.tokenizer.mask_token}",
        "next": "every token guessed from those before it",
    }
    return f"{n_sentences} of the reported sentences, {objectives[model.card.predicts]}"


def reproduce_command(model: Model, plan: Plan) -> str:
    """What measures it again, without the paths of this machine."""
    values = {"--sentences": plan.max_sentences, "--twins": plan.n_untrained,
            "--ablations": plan.n_ablation_sentences,
            "--name": plan.treebank_name, "--licence": plan.licence}  # fmt: skip
    defaults = {"--sentences": None, "--twins": N_UNTRAINED, "--ablations": N_ABLATION_SENTENCES,
              "--name": "", "--licence": ""}  # fmt: skip
    options = [
        word
        for name in values
        if values[name] != defaults[name]
        for word in (name, str(values[name]))
    ]
    files = [file.name for file in plan.treebank_files]
    words = ["python", "-m", "app", "checkpoint", "measure", model.card.id, "--treebank"]
    return shlex.join([*words, *files, *options])


def write_evidence(folder: Path, evidence: Evidence) -> None:
    file = evidence_file(folder)
    try:
        with atomic_write(file) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be written: {error.strerror or error}") from error

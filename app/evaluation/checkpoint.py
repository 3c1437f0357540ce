"""A checkpoint's heads measured on a treebank, as those of the shipped models were."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.evaluation.ablation import Asked, hidden_words, next_words, with_ablations
from app.evaluation.head_statistics import Reading, figures, readings
from app.evaluation.progress import Progress
from app.evaluation.report import Evidence, evidence_file
from app.evaluation.treebank import Tree, read_trees
from app.models.atomic import written_whole
from app.models.checkpoints.loader import read_checkpoint
from app.models.registry import Model

TWINS = 5
ABLATIONS = 100
SEED = 0
"""Of what is hidden; twins have the seeds from 0 on."""

Each = TypeVar("Each")


class NotMeasurableError(ValueError):
    """The message says why, and the way out."""


@dataclass(frozen=True)
class Plan:
    """What to measure on, and how much of it.

    Of one file every other sentence chooses heads and distances, and the others are reported; of
    two files the first chooses. At most `sentences` are read of a file, all if it is None.
    `ablations` is how many of the reported sentences tell the loss without each head.
    """

    files: tuple[Path, ...]
    sentences: int | None = None
    twins: int = TWINS
    ablations: int = ABLATIONS
    name: str = ""
    licence: str = ""

    @property
    def treebank(self) -> str:
        return self.name or " and ".join(file.stem for file in self.files)


def measure(folder: Path, plan: Plan) -> Evidence:
    """The record, which is written beside the weights.

    Raises `CheckpointError`, `NotMeasurableError`.
    """
    dev_trees, test_trees = parts(plan)
    model = read_checkpoint(folder, with_evidence=False)
    (dev, _), (test, left_out) = (
        readings(trees, model.tokenizer, model.card.max_tokens) for trees in (dev_trees, test_trees)
    )
    if not dev or not test:
        raise NotMeasurableError(
            f"{model.card.id} can read too few sentences of {plan.treebank}: {len(dev)} to choose"
            f" heads by and {len(test)} to report. Take more with --sentences, or another treebank."
        )
    evidence = measured(model, plan, dev, test, left_out)
    write(folder, evidence)
    return evidence


def parts(plan: Plan) -> tuple[list[Tree], list[Tree]]:
    """The sentences that choose, and those that are reported. Raises `NotMeasurableError`."""
    if not 1 <= len(plan.files) <= 2:
        raise NotMeasurableError("--treebank takes one file, or two: to choose by, and to report")
    read = [evenly(trees_of(file), plan.sentences) for file in plan.files]
    return (read[0][::2], read[0][1::2]) if len(read) == 1 else (read[0], read[1])


def trees_of(file: Path) -> list[Tree]:
    try:
        return list(read_trees(file))
    except UnicodeDecodeError as error:
        raise NotMeasurableError(f"{file} is no text in UTF-8: {error}") from error
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise NotMeasurableError(f"{error}. Treebanks are read as CoNLL-U.") from error


def evenly(items: Sequence[Each], most: int | None) -> list[Each]:
    """At most so many, from beginning to end: the texts of a treebank are of several kinds."""
    if most is None or len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]


def measured(
    model: Model, plan: Plan, dev: Sequence[Reading], test: Sequence[Reading], left_out: int
) -> Evidence:
    asked_in = evenly(test, plan.ablations)
    questions = questions_of(model, asked_in)
    n_heads = model.card.n_layers * model.card.n_heads
    passes = (1 + plan.twins) * (len(dev) + len(test)) + (1 + n_heads) * len(questions)
    with Progress(passes) as progress:
        found = figures(model.transformer, dev, test, range(plan.twins), progress)
        heads = found.heads
        if questions:
            heads = with_ablations(model.transformer, heads, questions, progress)
    return Evidence(
        model=model.card.id,
        weights_sha256=model.weights_sha256,
        treebank=plan.treebank,
        licence=plan.licence,
        sentences=len(test),
        left_out=left_out,
        words=found.words,
        command=command(model, plan),
        heads=heads,
        baselines=found.baselines,
        twin_tops=found.twin_tops,
        ablation_text=ablation_text(model, len(questions)),
    )


def questions_of(model: Model, test: Sequence[Reading]) -> list[Asked]:
    """What the model is asked to guess, none if it guesses nothing."""
    rng, mask_id = np.random.default_rng(SEED), model.tokenizer.mask_id
    if model.card.guesses == "next":
        questions = [next_words(np.array(each.ids)) for each in test]
    elif model.card.guesses == "hidden" and mask_id is not None:
        questions = [hidden_words(np.array(each.ids), each.plain, mask_id, rng) for each in test]
    else:
        return []
    # Of a single token no interval is known.
    return questions if sum(len(asked.at) for asked in questions) > 1 else []


def ablation_text(model: Model, n_sentences: int) -> str:
    if not n_sentences:
        return ""
    asked = {
        "hidden": f"15 % of their tokens hidden by {model.tokenizer.mask}",
        "next": "every token guessed from those before it",
    }
    return f"{n_sentences} of the reported sentences, {asked[model.card.guesses]}"


def command(model: Model, plan: Plan) -> str:
    """What measures it again, without the paths of this machine."""
    told = {"--sentences": plan.sentences, "--twins": plan.twins, "--ablations": plan.ablations,
            "--name": plan.name, "--licence": plan.licence}  # fmt: skip
    unsaid = {"--sentences": None, "--twins": TWINS, "--ablations": ABLATIONS,
              "--name": "", "--licence": ""}  # fmt: skip
    options = [
        word for name in told if told[name] != unsaid[name] for word in (name, str(told[name]))
    ]
    files = [file.name for file in plan.files]
    words = ["python", "-m", "app", "checkpoint", "measure", model.card.id, "--treebank"]
    return shlex.join([*words, *files, *options])


def write(folder: Path, evidence: Evidence) -> None:
    file = evidence_file(folder)
    try:
        with written_whole(file) as partial:
            partial.write_text(evidence.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise NotMeasurableError(f"{file} cannot be written: {error.strerror or error}") from error

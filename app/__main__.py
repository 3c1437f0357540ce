"""Commands for checkpoints: download, check and measure checkpoints trained by others."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from app.evaluation.checkpoint import (
    N_ABLATION_SENTENCES,
    N_UNTRAINED,
    NotMeasurableError,
    Plan,
    measure_checkpoint,
)
from app.evaluation.registry import load_evidence
from app.evaluation.report import NO_LABEL, Evidence
from app.models import Model, Registry, load_builtin_models
from app.models.checkpoints import CheckpointError, read_checkpoints
from app.models.checkpoints.hub import DEFAULT_ROOT, HubError, default_folder, download_checkpoint
from app.models.checkpoints.summary import one_line_summary


def add_command(arguments: argparse.Namespace) -> int:
    """Download a model. Returns the exit code."""
    folder = arguments.to or default_folder(arguments.name)
    model = download_checkpoint(arguments.name, folder, arguments.revision)
    exit_code = print_checkpoints([model], [])
    served_path = shlex.quote(str(arguments.to or DEFAULT_ROOT))
    print(f"It is in {folder}. To serve it: HEADWISE_CHECKPOINTS={served_path} make serve")
    return exit_code


def check_command(arguments: argparse.Namespace) -> int:
    """Read checkpoints without serving them. Returns the exit code."""
    checkpoints = read_checkpoints(arguments.paths, load_builtin_models().ids)
    return print_checkpoints(checkpoints.models, checkpoints.errors)


def print_checkpoints(models: Iterable[Model], errors: Iterable[CheckpointError]) -> int:
    """Print a line for each model and each error. Returns the exit code."""
    evaluated, evidence_errors = load_evidence(Registry(models))
    for model in evaluated:
        evidence = evaluated.evidence_of(model)
        measured = f"heads measured on {evidence.treebank}" if evidence else "heads not measured"
        print(f"{one_line_summary(model.card)}; {measured}")
    all_errors = [*errors, *evidence_errors]
    for error in all_errors:
        print(error, file=sys.stderr)
    return 1 if all_errors else 0


def measure_command(arguments: argparse.Namespace) -> int:
    """Measure the heads of a checkpoint. Returns the exit code."""
    plan = Plan(
        treebank_files=tuple(arguments.treebank),
        max_sentences=arguments.sentences,
        n_untrained=arguments.twins,
        n_ablation_sentences=arguments.ablations,
        treebank_name=arguments.name,
        licence=arguments.licence,
    )
    print_evidence(measure_checkpoint(arguments.folder, plan))
    return 0


def print_evidence(evidence: Evidence) -> None:
    """Print the heads that have labels, and the relations that are found."""
    for head in evidence.heads:
        labels = evidence.labels(head)
        if labels != [NO_LABEL]:
            print(f"{head.layer}.{head.head}: {', '.join(labels)}")
    relations = ", ".join(evidence.relations_found) or "none"
    print(f"{evidence.model}: {len(evidence.heads)} heads measured; relations found: {relations}")


def at_least(minimum: int) -> Callable[[str], int]:
    """Return an argparse type for integers from `minimum` on."""

    def parse(text: str) -> int:
        if int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text} is less than {minimum}")
        return int(text)

    return parse


def build_parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    groups = root.add_subparsers(required=True, metavar="checkpoint")
    commands = groups.add_parser(
        "checkpoint", help="models in folders with config.json, weights and tokenizer.json"
    ).add_subparsers(required=True, metavar="add | check | measure")

    command = commands.add_parser("add", help="download a model from a hub")
    command.add_argument("name", help="name on the hub: bert-base-uncased, owner/model")
    command.add_argument("--to", type=Path, help=f"target folder; default: {DEFAULT_ROOT}/NAME")
    command.add_argument("--revision", help="branch, tag or commit")
    command.set_defaults(run=add_command)

    command = commands.add_parser(
        "check", help="describe the checkpoints in folders, or say why one cannot be used"
    )
    command.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    command.set_defaults(run=check_command)

    command = commands.add_parser("measure", help="measure every head on a treebank")
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument(
        "--treebank",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="CoNLL-U; of two files, heads are chosen on the first and reported on the second;"
        " the sentences of one file are assigned alternately",
    )
    command.add_argument("--sentences", type=at_least(2), help="maximum number from each file")
    command.add_argument(
        "--twins",
        type=at_least(1),
        default=N_UNTRAINED,
        help="number of untrained models to compare with; default: %(default)s",
    )
    command.add_argument(
        "--ablations",
        type=at_least(0),
        default=N_ABLATION_SENTENCES,
        help="number of sentences for the loss without each head; default: %(default)s",
    )
    command.add_argument("--name", default="", help="name of the treebank")
    command.add_argument("--licence", default="", help="licence of the treebank")
    command.set_defaults(run=measure_command)
    return root


def main() -> int:
    arguments = build_parser().parse_args()
    try:
        exit_code: int = arguments.run(arguments)
    except (CheckpointError, HubError, NotMeasurableError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. No incomplete file was left.", file=sys.stderr)
        return 130
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

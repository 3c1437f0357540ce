"""Commands for checkpoints: `python -m app checkpoint add`, `check` and `measure`."""

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
    measure,
)
from app.evaluation.registry import load_evidence
from app.evaluation.report import NO_LABEL, Evidence
from app.models import Model, Registry, load_builtin_models
from app.models.checkpoints import CheckpointError, read_checkpoints
from app.models.checkpoints.hub import DEFAULT_ROOT, HubError, default_folder, download_checkpoint
from app.models.checkpoints.summary import one_line_summary


def add_command(arguments: argparse.Namespace) -> int:
    folder = arguments.to or default_folder(arguments.name)
    model = download_checkpoint(arguments.name, folder, arguments.revision)
    exit_code = print_checkpoints([model], [])
    served_path = shlex.quote(str(arguments.to or DEFAULT_ROOT))
    print(f"It is in {folder}. To serve it: HEADWISE_CHECKPOINTS={served_path} make serve")
    return exit_code


def check_command(arguments: argparse.Namespace) -> int:
    checkpoints = read_checkpoints(arguments.paths, load_builtin_models().ids)
    return print_checkpoints(checkpoints.models, checkpoints.errors)


def print_checkpoints(models: Iterable[Model], errors: Iterable[CheckpointError]) -> int:
    """Print a line for each checkpoint and each error. Returns the exit code."""
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
    plan = Plan(
        tuple(arguments.treebank),
        arguments.sentences,
        arguments.twins,
        arguments.ablations,
        arguments.name,
        arguments.licence,
    )
    print_summary(measure(arguments.folder, plan))
    return 0


def print_summary(evidence: Evidence) -> None:
    """The heads that may be named, and the relations that are found."""
    for head in evidence.heads:
        labels = evidence.labels(head)
        if labels != [NO_LABEL]:
            print(f"{head.layer}.{head.head}: {', '.join(labels)}")
    relations = ", ".join(evidence.relations_found) or "none"
    print(f"{evidence.model}: {len(evidence.heads)} heads measured; relations found: {relations}")


def at_least(minimum: int) -> Callable[[str], int]:
    """A kind of number on the command line."""

    def parse(text: str) -> int:
        if int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text} is less than {minimum}")
        return int(text)

    return parse


def build_parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    groups = root.add_subparsers(required=True, metavar="checkpoint")
    commands = groups.add_parser(
        "checkpoint", help="models in folders of their own"
    ).add_subparsers(required=True, metavar="add | check | measure")
    command = commands.add_parser("add", help="fetch a model from a hub")
    command.add_argument("name", help="as the hub has it: bert-base-uncased, owner/model")
    command.add_argument("--to", type=Path, help=f"its folder; {DEFAULT_ROOT}/NAME by default")
    command.add_argument("--revision", help="branch, tag or commit")
    command.set_defaults(run=add_command)

    command = commands.add_parser("check", help="say what is in folders, or why it is refused")
    command.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    command.set_defaults(run=check_command)

    command = commands.add_parser("measure", help="measure every head on a treebank")
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--treebank", type=Path, nargs="+", required=True, metavar="FILE",
                     help="CoNLL-U: one file, whose sentences are parted alternately, or two, of"
                     " which the first chooses heads and the second is reported")  # fmt: skip
    command.add_argument("--sentences", type=at_least(2), help="at most so many of each file")
    command.add_argument(
        "--twins", type=at_least(1), default=N_UNTRAINED, help="untrained ones to compare"
    )
    command.add_argument("--ablations", type=at_least(0), default=N_ABLATION_SENTENCES,
                     help="sentences for the loss without each head; 0 for none")  # fmt: skip
    command.add_argument("--name", default="", help="of the treebank")
    command.add_argument("--licence", default="", help="of the treebank")
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
        print("Stopped. No file was left half written.", file=sys.stderr)
        return 130
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

"""Commands for checkpoints: `python -m app checkpoint add`, `check` and `measure`."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from app.evaluation.checkpoint import ABLATIONS, TWINS, NotMeasurableError, Plan, measure
from app.evaluation.report import NO_ROLE, Evidence
from app.models import shipped_family
from app.models.checkpoints import CheckpointError, read_checkpoints
from app.models.checkpoints.hub import CHECKPOINTS, HubError, add, default_folder
from app.models.checkpoints.summary import in_a_line


def add_command(given: argparse.Namespace) -> int:
    folder = given.to or default_folder(given.name)
    print(in_a_line(add(given.name, folder, given.revision)))
    served = shlex.quote(str(given.to or CHECKPOINTS))
    print(f"It is in {folder}. To serve it: HEADWISE_CHECKPOINTS={served} make serve")
    return 0


def check_command(given: argparse.Namespace) -> int:
    found = read_checkpoints(given.paths, shipped_family().ids)
    for model in found.models:
        print(in_a_line(model))
    for refusal in found.refusals:
        print(refusal, file=sys.stderr)
    return 1 if found.refusals else 0


def measure_command(given: argparse.Namespace) -> int:
    plan = Plan(
        tuple(given.treebank),
        given.sentences,
        given.twins,
        given.ablations,
        given.name,
        given.licence,
    )
    tell(measure(given.folder, plan))
    return 0


def tell(evidence: Evidence) -> None:
    """The heads that may be named, and the relations that are found."""
    for head in evidence.heads:
        labels = evidence.labels(head)
        if labels != [NO_ROLE]:
            print(f"{head.layer}.{head.head}: {', '.join(labels)}")
    relations = ", ".join(evidence.relations_found) or "none"
    print(f"{evidence.model}: {len(evidence.heads)} heads measured; relations found: {relations}")


def at_least(least: int) -> Callable[[str], int]:
    """A kind of number on the command line."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return number


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    kinds = whole.add_subparsers(required=True, metavar="checkpoint")
    commands = kinds.add_parser("checkpoint", help="models in folders of their own").add_subparsers(
        required=True, metavar="add | check | measure"
    )
    one = commands.add_parser("add", help="fetch a model from a hub")
    one.add_argument("name", help="as the hub has it: bert-base-uncased, owner/model")
    one.add_argument("--to", type=Path, help=f"its folder; {CHECKPOINTS}/NAME by default")
    one.add_argument("--revision", help="branch, tag or commit")
    one.set_defaults(run=add_command)

    one = commands.add_parser("check", help="say what is in folders, or why it is refused")
    one.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    one.set_defaults(run=check_command)

    one = commands.add_parser("measure", help="measure every head on a treebank")
    one.add_argument("folder", type=Path, metavar="DIR")
    one.add_argument("--treebank", type=Path, nargs="+", required=True, metavar="FILE",
                     help="CoNLL-U: one file, whose sentences are parted alternately, or two, of"
                     " which the first chooses heads and the second is reported")  # fmt: skip
    one.add_argument("--sentences", type=at_least(2), help="at most so many of each file")
    one.add_argument("--twins", type=at_least(1), default=TWINS, help="untrained ones to compare")
    one.add_argument("--ablations", type=at_least(0), default=ABLATIONS,
                     help="sentences for the loss without each head; 0 for none")  # fmt: skip
    one.add_argument("--name", default="", help="of the treebank")
    one.add_argument("--licence", default="", help="of the treebank")
    one.set_defaults(run=measure_command)
    return whole


def main() -> int:
    given = parser().parse_args()
    try:
        code: int = given.run(given)
    except (CheckpointError, HubError, NotMeasurableError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. No file was left half written.", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Measure speed: `python -m benchmarks [PART …]` prints each part and the goals that it met.

With `--write`, measure all parts and write docs/performance.md.
"""

import argparse
from datetime import date

from benchmarks.document import REPORT_FILE, all_outcomes, goals_table, text_table, to_markdown
from benchmarks.machine import describe_machine
from benchmarks.run import PARTS, measure_in_fresh_interpreters


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"parts to measure, all by default: {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"measure all parts and write {REPORT_FILE.name}"
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.parts if name not in PARTS]:
        parser.error(f"unknown part {', '.join(unknown)}; choose from {', '.join(PARTS)}")
    if arguments.write and arguments.parts:
        parser.error("--write measures all parts; do not name any")
    machine_description = describe_machine()
    print(f"{machine_description}\n", flush=True)
    parts = measure_in_fresh_interpreters(arguments.parts or list(PARTS))
    if arguments.write:
        print(text_table(goals_table(all_outcomes(parts))))
        REPORT_FILE.write_text(
            to_markdown(parts, machine_description, date.today()), encoding="utf-8"
        )
        print(f"\nWritten to {REPORT_FILE}")


if __name__ == "__main__":
    main()

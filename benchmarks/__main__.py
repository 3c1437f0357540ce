"""`python -m benchmarks [PART …]`: measures, part after part, and says what came of each goal.

With `--write` all parts are measured, and docs/performance.md is written.
"""

import argparse
from datetime import date

from benchmarks.document import FILE, goals_table, markdown, outcomes_of_all, text_table
from benchmarks.machine import machine
from benchmarks.run import PARTS, in_fresh_interpreters


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}; of all parts")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if asked.write and asked.parts:
        parser.error("the document is written of all parts together; name none")
    before = machine()
    print(f"{before}\n", flush=True)
    parts = in_fresh_interpreters(asked.parts or list(PARTS))
    if asked.write:
        print(text_table(goals_table(outcomes_of_all(parts))))
        FILE.write_text(markdown(parts, before, date.today()), encoding="utf-8")
        print(f"\nWritten to {FILE}")


if __name__ == "__main__":
    main()

"""Stage 7: record the losses of runs with several seeds, to show how much chance changes them.

python -m training.seeds --steps 6000 --tokens-a-step 6144
"""

import json
from pathlib import Path

from safetensors import safe_open

from app.evaluation.seed_runs import SeedRun, SeedRuns, seed_runs_file
from app.models.atomic import atomic_write
from app.models.builtin import BUILTIN_FOLDER
from training.paths import checkpoint_file, runs_folder, stage_parser
from training.recipe import validation_points


def finished_runs(build: Path, steps: int, tokens_a_step: int) -> list[SeedRun]:
    """Return the finished runs with these sizes, sorted by number of heads and seed."""
    runs = []
    for folder in runs_folder(build).glob(f"*-{steps}x{tokens_a_step}"):
        with safe_open(checkpoint_file(folder), "np") as saved:
            metadata = saved.metadata()
        recipe = json.loads(metadata["recipe"])
        if int(metadata["step"]) < steps:
            print(f"left out: {folder.name}, which is at step {metadata['step']} of {steps}")
            continue
        curve = validation_points(json.loads(metadata["log"]))
        runs.append(SeedRun(n_heads=recipe["n_heads"], seed=recipe["seed"], curve=curve))
    return sorted(runs, key=lambda run: (run.n_heads, run.seed))


def main() -> None:
    parser = stage_parser(__doc__)
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--tokens-a-step", type=int, default=6_144)
    parser.add_argument(
        "--models", type=Path, default=BUILTIN_FOLDER, help="folder of the shipped models"
    )
    arguments = parser.parse_args()
    runs = finished_runs(arguments.build, arguments.steps, arguments.tokens_a_step)
    if not runs:
        raise SystemExit(
            f"no finished run of {arguments.steps} steps in {runs_folder(arguments.build)}"
        )
    record = SeedRuns(
        steps=arguments.steps,
        tokens_a_step=arguments.tokens_a_step,
        command=(
            "python -m training.train --heads H --seed S"
            f" --steps {arguments.steps} --tokens-a-step {arguments.tokens_a_step}"
        ),
        runs=runs,
    )
    with atomic_write(seed_runs_file(arguments.models)) as partial:
        partial.write_text(record.model_dump_json() + "\n", encoding="utf-8")
    for run in runs:
        print(f"{run.n_heads} heads, seed {run.seed}: {run.validation_loss}")
    print(f"largest difference between two seeds: {record.widest_spread:.4f}")


if __name__ == "__main__":
    main()

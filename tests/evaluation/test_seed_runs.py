import pytest

from app.evaluation.seed_runs import SeedRun, SeedRuns, read_seed_runs
from app.models.builtin import BUILTIN_FOLDER


def seed_runs(*losses):
    """One run for each (heads, seed, loss)."""
    return SeedRuns(
        steps=2,
        tokens_a_step=1,
        command="c",
        runs=[
            SeedRun(
                n_heads=h,
                seed=s,
                curve=[
                    {"step": 1, "loss": 9, "accuracy": 0},
                    {"step": 2, "loss": loss, "accuracy": 0.1},
                ],
            )
            for h, s, loss in losses
        ],
    )


def test_the_spread_is_over_seeds_and_not_over_heads():
    record = seed_runs((1, 0, 4.0), (1, 1, 4.01), (8, 0, 3.5), (8, 1, 3.53))
    assert record.seeds == [0, 1]
    assert record.losses(8) == [3.5, 3.53]
    assert record.widest_spread == pytest.approx(0.03)


def test_every_number_of_heads_was_trained_from_the_same_seeds_to_the_last_step():
    shipped = read_seed_runs(BUILTIN_FOLDER)
    assert shipped.steps >= 6_000
    assert shipped.seeds == [0, 1, 2]
    for n_heads in (1, 2, 4, 8):
        assert [run.seed for run in shipped.runs if run.n_heads == n_heads] == shipped.seeds
    assert all(run.curve[-1].step == shipped.steps for run in shipped.runs)

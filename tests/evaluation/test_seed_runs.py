from math import pi, tan

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


def test_the_difference_is_paired_by_seed():
    record = seed_runs((4, 0, 3.0), (4, 1, 4.0), (4, 2, 9.0), (8, 0, 2.9), (8, 1, 3.9), (8, 3, 1.0))
    difference = record.difference(8, 4)
    assert (difference.mean, difference.low, difference.high) == pytest.approx((-0.1,) * 3)
    assert difference.is_lower
    assert record.difference(4, 8).mean == pytest.approx(0.1)
    assert not record.difference(4, 8).is_lower
    assert record.mean_loss(8) == pytest.approx(2.6)


def test_the_interval_of_two_seeds_is_wider_than_their_range():
    record = seed_runs((4, 0, 3.0), (4, 1, 3.0), (8, 0, 2.8), (8, 1, 2.9))
    difference = record.difference(8, 4)
    assert difference.mean == pytest.approx(-0.15)
    # Student's t with one degree of freedom is Cauchy's distribution: its quantile is a tangent.
    assert difference.high - difference.mean == pytest.approx(tan(0.475 * pi) * 0.05, rel=1e-4)
    assert not difference.is_lower


def test_one_seed_has_no_interval():
    assert seed_runs((4, 0, 3.0), (8, 0, 2.9)).difference(8, 4) is None


def test_every_number_of_heads_was_trained_from_the_same_seeds_to_the_last_step():
    shipped = read_seed_runs(BUILTIN_FOLDER)
    assert shipped.steps >= 6_000
    assert shipped.seeds == [0, 1, 2]
    for n_heads in (1, 2, 4, 8):
        assert [run.seed for run in shipped.runs if run.n_heads == n_heads] == shipped.seeds
    assert all(run.curve[-1].step == shipped.steps for run in shipped.runs)

import numpy as np
import pytest

from app.attention import Intervention
from app.lesson import LABS
from tests.lesson.labs.states import make_state

grouped_query = LABS["sharing"].run


def run_lab(models, model="headwise-h8", **controls):
    return grouped_query(make_state(models, model, lab="sharing", controls=controls))


def test_groups_are_the_divisors_of_the_number_of_key_heads(models):
    assert run_lab(models).groupings == (1, 2, 4, 8)
    assert run_lab(models, "headwise-h1").groupings == (1,)


def test_as_trained_nothing_changes(models):
    assert max(run_lab(models).max_change) < 1e-6


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_pooling_changes_maps_and_keeps_their_number(models, groups):
    state = make_state(models, "headwise-h8", lab="sharing", controls={"groups": groups})
    lab = grouped_query(state)
    model = models["headwise-h8"]
    pooled = model.run(state.sentence, intervention=Intervention(groups=groups)).weights[0]
    change = np.abs(pooled - model.run(state.sentence).weights[0]).max(axis=(1, 2))
    assert list(lab.max_change) == pytest.approx(change.tolist())
    assert min(lab.max_change) > 0.01
    assert len({figure.map for figure in lab.heads}) == 8
    assert [len(figure.kv_group) for figure in lab.heads] == [8 // groups] * 8
    assert all(figure.head in figure.kv_group for figure in lab.heads)


def test_the_change_is_that_of_pooling_alone(models):
    as_trained = run_lab(models, causal=True, unscaled=True)
    assert max(as_trained.max_change) < 1e-6


def test_the_cache_holds_a_key_and_a_value_for_each_set(models):
    small, large = run_lab(models).cache
    assert (small.numbers, small.without_sharing) == (2 * 2 * 4 * 8 * 6,) * 2
    assert (large.numbers, large.without_sharing) == (163_840 * 6, 1_310_720 * 6)
    assert large.megabytes == pytest.approx(163_840 * 1_000 * 2 / 1e6)


def test_losses_are_those_of_the_evidence(models):
    evidence = models.evidence_of(models["headwise-h8"])
    assert run_lab(models).losses == evidence.pooled
    assert evidence.pooled
    assert run_lab(models, "headwise-h8-random").losses == ()

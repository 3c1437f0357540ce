import numpy as np
import pytest

from app.evaluation.two_neighbour_task import read_two_neighbours
from training.two_neighbours import evaluate_model, train_model


def outcomes_of(n_heads, read_out):
    return [
        each
        for each in read_two_neighbours().outcomes
        if (each.n_heads, each.read_out) == (n_heads, read_out)
    ]


def test_one_head_with_a_linear_read_out_predicts_one_side_and_guesses_the_other():
    chance = 1 / read_two_neighbours().symbols
    for each in outcomes_of(1, "linear"):
        assert max(each.left, each.right) > 0.99
        assert min(each.left, each.right) == pytest.approx(chance, abs=0.02)


@pytest.mark.parametrize("n_heads", [2, 4])
@pytest.mark.parametrize("read_out", ["linear", "mlp"])
def test_several_heads_predict_both_sides(n_heads, read_out):
    assert all(each.both == 1 for each in outcomes_of(n_heads, read_out))


def test_a_network_can_separate_the_mixture_of_one_head():
    assert max(each.both for each in outcomes_of(1, "mlp")) == 1


def test_heads_do_not_change_the_number_of_parameters():
    for read_out in ("linear", "mlp"):
        counts = {e.parameters for h in (1, 2, 4) for e in outcomes_of(h, read_out)}
        assert len(counts) == 1


def test_rows_of_the_maps_sum_to_one():
    for each in read_two_neighbours().outcomes:
        weights = np.array(each.weights)
        assert weights.shape == (each.n_heads, 10, 10)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-3)


def test_the_record_is_what_the_command_computes():
    (shipped,) = [each for each in outcomes_of(2, "linear") if each.seed == 0]
    recomputed = evaluate_model(train_model(2, "linear", 0), "linear", 0)
    assert recomputed.both == shipped.both == 1
    np.testing.assert_allclose(recomputed.weights, shipped.weights, atol=0.05)

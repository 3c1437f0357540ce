import numpy as np
import pytest

from app.lesson import LABS
from tests.lesson.labs.states import make_state

head_count = LABS["budget"].run


def test_costs_are_the_sizes_of_the_arrays(models):
    state = make_state(models)
    costs = head_count(state).costs
    assert [cost.trained_model.card.n_heads for cost in costs] == [1, 2, 4, 8]
    for cost in costs:
        model = models[cost.trained_model.card.id]
        layer = model.transformer.layers[0].attention
        arrays = (layer.qkv, layer.qkv_bias, layer.output, layer.output_bias)
        assert cost.attention_parameters == sum(array.size for array in arrays) == 66_048
        trace = model.run(state.sentence).trace(0)
        assert cost.cells == trace.weights.size
        assert cost.multiplications == trace.Q.size * 6 + trace.weights.size * layer.d_head
        assert cost.chosen == (model.card.id == "headwise-h4")


def test_an_untrained_model_marks_the_row_of_its_number_of_heads(models):
    costs = head_count(make_state(models, "headwise-h2-random")).costs
    assert [cost.chosen for cost in costs] == [False, True, False, False]


def test_a_checkpoint_marks_no_row(checkpoint_models):
    lab = head_count(make_state(checkpoint_models, "bert", "The cat sat"))
    assert not any(cost.chosen for cost in lab.costs)
    assert lab.divisor == pytest.approx(np.sqrt(checkpoint_models["bert"].card.d_head))


def test_without_the_divisor_maps_and_entropies_change(models):
    divided, undivided = (
        head_count(make_state(models, controls={"unscaled": unscaled}))
        for unscaled in (False, True)
    )
    assert divided.entropies == undivided.entropies
    for head, (with_divisor, without) in enumerate(divided.entropies):
        assert divided.heads[head].mean_entropy == pytest.approx(with_divisor)
        assert undivided.heads[head].mean_entropy == pytest.approx(without)
        assert without < with_divisor

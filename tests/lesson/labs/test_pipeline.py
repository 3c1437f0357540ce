import numpy as np
import pytest

from app.attention import Intervention
from app.lesson import LABS
from app.picture import heatmap, signed_map
from tests.lesson.labs.states import layout_of, make_state

pipeline = LABS["pipeline"].run


@pytest.mark.parametrize(("layer", "head"), [(0, 2), (1, 3)])
def test_stages_are_products_scaled_masked_and_weights(models, layer, head):
    state = make_state(models, layer=layer, head=head, controls={"causal": True})
    lab = pipeline(state)
    forward_pass = models["headwise-h4"].run(state.sentence, intervention=Intervention(causal=True))
    trace = forward_pass.trace(layer)
    assert [stage.name for stage in lab.stages] == ["products", "scaled", "masked"]
    for stage, values in zip(lab.stages, (trace.scores, trace.scaled, trace.masked), strict=True):
        finite = values[head][np.isfinite(values[head])]
        assert stage.largest == pytest.approx(np.abs(finite).max())
        assert stage.map == signed_map(values[head], layout_of(state), stage.largest)
    expected = heatmap(trace.weights[head], layout_of(state), name=lab.figure.name)
    assert lab.figure.map == expected
    assert lab.divisor == pytest.approx(np.sqrt(32))


@pytest.mark.parametrize("head", [0, 3])
def test_column_totals_share_one_for_each_row(models, head):
    state = make_state(models, head=head)
    lab = pipeline(state)
    totals = models["headwise-h4"].run(state.sentence).weights[0][head].sum(axis=0)
    assert [column.key for column in lab.columns] == [token.text for token in state.tokens]
    assert [column.total for column in lab.columns] == pytest.approx(totals.tolist(), abs=1e-5)
    assert sum(column.total for column in lab.columns) == pytest.approx(6, abs=1e-4)
    largest = max(lab.columns, key=lambda column: column.total)
    assert [column for column in lab.columns if column.is_largest] == [largest]


def test_the_mask_crosses_out_later_tokens(models):
    masked, unmasked = (
        pipeline(make_state(models, controls={"causal": causal})) for causal in (True, False)
    )
    assert masked.stages[2].map.count("−∞") == 15
    assert masked.stages[1].map.count("−∞") == 0
    assert unmasked.stages[2].map.count("−∞") == 0


def test_stages_leave_out_special_tokens_that_are_hidden(checkpoint_models):
    state = make_state(
        checkpoint_models, "bert", "The cat sat", controls={"hide_special_tokens": True}
    )
    lab = pipeline(state)
    trace = checkpoint_models["bert"].run(state.sentence).trace(0)
    scaled = trace.scaled[0][1:-1, 1:-1]
    assert lab.stages[1].largest == pytest.approx(np.abs(scaled).max())
    assert lab.stages[1].map == signed_map(scaled, state.heatmap_layout, lab.stages[1].largest)
    assert [column.key for column in lab.columns] == ["The", "cat", "sat"]

from dataclasses import replace

import numpy as np
import pytest

from app.attention import Intervention
from app.lesson import LABS
from app.lesson.predictions import Mark
from app.picture import format_number, heatmap, signed_map
from tests.lesson.labs.states import make_state

pipeline = LABS["pipeline"].run


def shown_at(models, stage, **selection):
    return pipeline(make_state(models, controls={"stage": stage, "causal": True}, **selection))


TITLES = {
    "products": "products of queries and keys",
    "scaled": "scaled scores",
    "masked": "scores after the mask",
}


def name_of(lab, values, title):
    """What a screen reader calls the scores: the key that fits the chosen word best."""
    row, tokens = lab.state.query_rows[0], [token.text for token in lab.state.tokens]
    best, key = max(zip(values[row].tolist(), tokens, strict=True), key=lambda pair: pair[0])
    return f"Head {lab.state.head}, {title}: {tokens[row]} fits {key} best, {format_number(best)}"


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
        shown = shown_at(models, stage.name, layer=layer, head=head)
        name = name_of(shown, values[head], TITLES[stage.name])
        assert shown.map == signed_map(values[head], shown.layout, stage.largest, name=name)
    assert lab.map == heatmap(trace.weights[head], lab.layout, name=lab.figure.name)
    totals = [f">{total:.2f}</text>" for total in trace.weights[head].sum(axis=0, dtype=float)]
    assert all(total in lab.map for total in totals)
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


@pytest.mark.parametrize("stage", ["", "products", "scaled", "masked"])
def test_until_revealed_the_map_has_only_the_rows_of_the_word_and_no_totals(models, stage):
    state = make_state(models, word=3, controls={"stage": stage})
    hidden, shown = pipeline(replace(state, is_revealed=False)), pipeline(state)
    assert hidden.columns == ()
    assert hidden.hidden_rows == (0, 1, 2, 4, 5)
    assert hidden.map.count('class="number') == 6
    assert shown.map.count('class="number') == 36
    assert shown.hidden_rows == ()
    values = pipeline(state).state.trace.scores[state.head]
    assert hidden.stages[0].largest == pytest.approx(np.abs(values[3]).max())
    assert shown.stages[0].largest == pytest.approx(np.abs(values).max())
    for column in shown.columns:
        assert f">{column.total:.2f}<" not in hidden.map
        assert (f">{column.total:.2f}<" in shown.map) == (stage == "")
    assert (hidden.map.count(">?<") == 6) == (stage == "")


def test_lines_are_not_drawn_until_revealed(models):
    state = make_state(models, controls={"layout": "lines"})
    assert 'class="ties"' in pipeline(state).map
    assert 'class="ties"' not in pipeline(replace(state, is_revealed=False)).map


def test_the_column_that_decides_is_outlined_on_the_map_of_its_head(models):
    mark = Mark("column", 1, column=2, model="headwise-h4")
    state = replace(make_state(models, head=1), marks=(mark,))
    size = pipeline(state).layout.cells.cell_size
    assert (
        f'class="marked" d="M{2 * size - 1} -1h{size + 2}v{6 * size + 2}h-{size + 2}z"'
        in pipeline(state).map
    )
    other = replace(make_state(models, head=0), marks=(mark,))
    assert 'class="marked"' not in pipeline(other).map


def test_the_other_heads_are_small_maps_with_every_row(models):
    for state in (make_state(models, head=1), replace(make_state(models), is_revealed=False)):
        maps = pipeline(state).other_maps
        assert [each.figure.head for each in maps] == [h for h in range(4) if h != state.head]
        assert all(each.is_readable and not each.layout.has_labels for each in maps)
    assert pipeline(make_state(models, "headwise-h1")).other_maps == ()


def test_the_map_is_beside_the_row_figure_unless_the_sentence_is_long(models):
    short, long = pipeline(make_state(models)), pipeline(make_state(models, text="cat " * 20))
    assert short.is_beside_row
    assert short.layout.width <= 290
    assert not long.is_beside_row


def test_the_mask_crosses_out_later_tokens(models):
    masked = shown_at(models, "masked")
    assert masked.map.count("−∞") == 15
    assert shown_at(models, "scaled").map.count("−∞") == 0
    unmasked = pipeline(make_state(models, controls={"stage": "masked"}))
    assert unmasked.map.count("−∞") == 0


def test_stages_leave_out_special_tokens_that_are_hidden(checkpoint_models):
    controls = {"hide_special_tokens": True, "stage": "scaled"}
    state = make_state(checkpoint_models, "bert", "The cat sat", controls=controls)
    lab = pipeline(state)
    trace = checkpoint_models["bert"].run(state.sentence).trace(0)
    scaled = trace.scaled[0][1:-1, 1:-1]
    assert lab.stages[1].largest == pytest.approx(np.abs(scaled).max())
    name = name_of(lab, scaled, TITLES["scaled"])
    assert lab.map == signed_map(scaled, lab.layout, lab.stages[1].largest, name=name)
    assert [column.key for column in lab.columns] == ["The", "cat", "sat"]

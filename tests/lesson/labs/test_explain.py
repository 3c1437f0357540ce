import numpy as np
import pytest

from app.lesson import explain
from tests.lesson.labs.states import make_state
from tests.lesson.naive_attention import naive_layer


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("head", [0, 1, 3])
def test_it_leads_from_products_to_the_weight(models, layer, head):
    state = make_state(models, head=head, layer=layer, controls={"cell": (2, 4)})
    result = explain(state)
    assert (result.head, result.query, result.key) == (head, "the", "wooden")
    assert (result.query_token, result.key_token) == (2, 4)
    trace = state.trace
    assert [each.query for each in result.elements] == pytest.approx(trace.Q[head, 2].tolist())
    assert [each.key for each in result.elements] == pytest.approx(trace.K[head, 4].tolist())
    assert [each.product for each in result.elements] == [
        each.query * each.key for each in result.elements
    ]
    total = sum(each.product for each in result.elements)
    assert total == pytest.approx(result.score, abs=1e-4)
    assert result.score / result.divisor == pytest.approx(result.scaled, abs=1e-4)
    assert np.exp(result.scaled - result.row_largest) == pytest.approx(result.exponential, rel=1e-3)
    assert result.exponential / result.row_sum == pytest.approx(result.weight, abs=1e-5)
    expected = naive_layer(models["headwise-h4"], state.sentence, layer)
    assert result.weight == pytest.approx(expected.weights[head, 2, 4], abs=1e-5)
    assert not result.masked
    assert result.length is result.weighted is result.renormalised is None


def test_a_masked_cell_has_no_weight_at_all(models):
    result = explain(make_state(models, controls={"cell": (2, 4), "causal": True}))
    assert result.masked
    assert result.weight == result.exponential == 0
    assert not explain(make_state(models, controls={"cell": (4, 2), "causal": True})).masked


def test_without_the_divisor_nothing_is_divided(models):
    result = explain(make_state(models, controls={"cell": (2, 4), "unscaled": True}))
    assert result.divisor == 1
    assert result.scaled == pytest.approx(result.score, abs=1e-4)


@pytest.mark.parametrize("head", [0, 5])
def test_the_displayed_cell_of_a_shuffled_sentence_is_explained(models, head):
    state = make_state(
        models, "headwise-h8", head=head, controls={"shuffled": True, "cell": (1, 2)}
    )
    result = explain(state.displayed)
    shuffled_sentence = state.displayed.sentence
    assert (result.query, result.key) == (
        shuffled_sentence.tokens[1].text,
        shuffled_sentence.tokens[2].text,
    )
    weights = models["headwise-h8"].run(shuffled_sentence).weights[0]
    assert result.weight == pytest.approx(float(weights[head, 1, 2]), abs=1e-5)


@pytest.mark.parametrize("head", [0, 1])
def test_where_maps_are_weighted_the_number_on_the_map_is_explained_too(models, head):
    state = make_state(models, head=head, controls={"weighted": True, "cell": (2, 4)})
    result = explain(state)
    expected = naive_layer(models["headwise-h4"], state.sentence, 0)
    lengths = np.linalg.norm(expected.value_contributions[head], axis=-1)
    products = expected.weights[head, 2] * lengths
    assert result.length == pytest.approx(lengths[4], abs=1e-4)
    assert result.weighted == pytest.approx(products[4] / products.sum(), abs=1e-5)
    assert result.weighted == pytest.approx(float(state.maps[head, 2, 4]), abs=1e-6)


@pytest.mark.parametrize("head", [0, 1])
def test_where_special_tokens_are_hidden_the_share_among_the_others_is_given(
    checkpoint_models, head
):
    controls = {"hide_special_tokens": True, "cell": (0, 2)}
    state = make_state(checkpoint_models, "bert", "The cat sat", head=head, controls=controls)
    result = explain(state)
    assert (result.query, result.key) == ("The", "sat")
    row = checkpoint_models["bert"].run(state.sentence).weights[0][head, 1]
    assert result.weight == pytest.approx(float(row[3]), abs=1e-6)
    assert result.renormalised == pytest.approx(float(row[3] / row[1:-1].sum()), abs=1e-5)
    assert result.renormalised > result.weight


def test_without_a_cell_nothing_is_explained(models):
    assert explain(make_state(models)) is None

"""The row figure's numbers, compared with a loop over keys in double precision."""

import dataclasses

import numpy as np
import pytest

from app.lesson.labs.row_figure import MAX_LINES, row_figure
from app.models.checkpoints import read_checkpoint
from tests.lesson.labs.states import make_state
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

SENTENCES = {
    1: "cat",
    4: "The cat sat down",
    10: "The old cat sat down on the very old door",
    11: "The old cat sat down on the very old wooden door",
    34: "the cat " * 17,
    48: "the cat " * 24,
}


@dataclasses.dataclass
class NaiveRow:
    query: np.ndarray
    keys: np.ndarray  # (n, d_head)
    scores: np.ndarray
    scaled: np.ndarray
    weights: np.ndarray
    output: np.ndarray
    added: np.ndarray


def naive_row(state):
    """Compute the row one key at a time from the input of the layer."""
    trace = state.trace
    W, X, token = trace.W, trace.X.astype(np.float64), state.query_tokens[0]
    causal = state.controls.causal or state.model.card.causal
    outputs = []
    for head in range(W.n_heads):
        columns = slice(head * W.d_head, (head + 1) * W.d_head)
        group = head // W.group_size
        shared = slice(group * W.d_head, (group + 1) * W.d_head)
        query = rotated(W, X[token] @ W.query[:, columns] + W.query_bias[columns], token)
        keys = np.array(
            [
                rotated(W, x @ W.key[:, shared] + W.key_bias[shared], position)
                for position, x in enumerate(X)
            ]
        )
        scores = np.array([sum(q * k for q, k in zip(query, key, strict=True)) for key in keys])
        scaled = scores if state.controls.unscaled else scores / np.sqrt(W.d_head)
        exponentials = np.exp(scaled - scaled.max())
        if causal:
            exponentials[token + 1 :] = 0
        weights = exponentials / exponentials.sum()
        output = np.zeros(W.d_head)
        for weight, x in zip(weights, X, strict=True):
            output += weight * (x @ W.value[:, shared] + W.value_bias[shared])
        if (state.layer, head) in state.controls.off:
            output[:] = 0
        outputs.append(output)
        if head == state.head:
            row = (query, keys, scores, scaled, weights, output)
    added = np.concatenate(outputs) @ W.output + W.output_bias
    return NaiveRow(*row, added)


def rotated(W, vector, position):
    """Rotate pairs of elements one by one, if the layer has rotary positions."""
    if W.rotary is None:
        return vector
    half, result = len(vector) // 2, np.empty_like(vector)
    for j in range(half):
        angle = position / W.rotary.base ** (2 * j / len(vector))
        first, second = vector[j], vector[j + half]
        result[j] = first * np.cos(angle) - second * np.sin(angle)
        result[j + half] = second * np.cos(angle) + first * np.sin(angle)
    return result


def assert_is_the_naive_row(state):
    figure, expected = row_figure(state), naive_row(state)
    n = len(state.sentence.tokens)
    tolerance = {"rel": 1e-3, "abs": 2e-4}
    assert figure.query_vector == pytest.approx(expected.query, **tolerance)
    assert figure.output == pytest.approx(expected.output, **tolerance)
    assert figure.added == pytest.approx(expected.added, **tolerance)
    assert sum(line.weight for line in figure.lines) + figure.other_weight == pytest.approx(1)
    assert len(figure.lines) + figure.n_other_keys == n
    for line in figure.lines:
        assert line.key == state.sentence.tokens[line.token].text
        assert line.score == pytest.approx(expected.scores[line.token], **tolerance)
        assert line.weight == pytest.approx(expected.weights[line.token], **tolerance)
        if line.scaled is None:
            assert line.weight == expected.weights[line.token] == 0
        else:
            assert line.scaled == pytest.approx(expected.scaled[line.token], **tolerance)
    assert figure.top.weight == pytest.approx(expected.weights.max(), **tolerance)


@pytest.mark.parametrize("model", ["headwise-h1", "headwise-h8"])
@pytest.mark.parametrize("n", SENTENCES)
def test_numbers_are_those_of_a_loop_over_keys(models, model, n):
    state = make_state(models, model, SENTENCES[n], word=min(1, n - 1), layer=1)
    assert len(state.sentence.tokens) == n
    assert_is_the_naive_row(state)


@pytest.mark.parametrize(
    "controls",
    [
        {"causal": True},
        {"unscaled": True},
        {"off": frozenset({(0, 2), (0, 3)})},
        {"off": frozenset({(0, 0)}), "causal": True},
        {"groups": 2},
        {"groups": 1, "unscaled": True},
    ],
)
@pytest.mark.parametrize("head", [0, 3])
def test_interventions_change_the_row_as_they_change_the_model(models, controls, head):
    state = make_state(models, "headwise-h4", SENTENCES[10], head=head, word=3, controls=controls)
    assert_is_the_naive_row(state)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("head", [0, 1])
def test_checkpoints_have_causal_masks_rotary_positions_and_shared_keys(
    models, tmp_path, kind, head
):
    model = read_checkpoint(save_checkpoint(kind, tmp_path / kind))
    sentence = model.tokenizer.sentence("The cat sat down because")
    state = make_state(models)
    selection = dataclasses.replace(
        state.selection.with_model(model), sentence=sentence, layer=0, head=head, word=2
    )
    assert_is_the_naive_row(dataclasses.replace(state, selection=selection))


def test_masked_keys_have_a_product_but_no_score_and_no_weight(models):
    figure = row_figure(make_state(models, word=2, controls={"causal": True}))
    assert [line.scaled is None for line in figure.lines] == [False] * 3 + [True] * 3
    assert [line.weight == 0 for line in figure.lines] == [False] * 3 + [True] * 3
    assert all(line.score for line in figure.lines)


@pytest.mark.parametrize("n", SENTENCES)
def test_there_are_few_lines_in_the_order_of_the_sentence_and_none_left_out_is_larger(models, n):
    state = make_state(models, "headwise-h4", SENTENCES[n], word=0)
    figure = row_figure(state)
    tokens = [line.token for line in figure.lines]
    assert tokens == sorted(tokens)
    assert len(tokens) == (n if n <= MAX_LINES else MAX_LINES - 1)
    assert figure.n_other_keys != 1
    row = state.trace.weights[state.head, 0]
    rest = [row[key] for key in range(n) if key not in tokens]
    assert max(rest, default=0) <= min(line.weight for line in figure.lines)
    assert figure.other_weight == pytest.approx(sum(rest), abs=1e-6)


def test_the_lines_and_the_others_add_up_to_the_output(models):
    values = row_figure(make_state(models, "headwise-h4", SENTENCES[34], word=0)).values
    total = values.keys.weighted_values.sum(axis=0) + values.other_keys.weighted_values
    np.testing.assert_allclose(total, values.output, atol=1e-5)
    start = values.head * values.d_head
    np.testing.assert_array_equal(values.joined[start : start + values.d_head], values.output)


def test_heads_with_the_same_keys_are_a_group(models):
    alone = row_figure(make_state(models, "headwise-h8", head=5))
    assert alone.heads_with_same_keys == (5,)
    state = make_state(models, "headwise-h8", head=5, controls={"groups": 2})
    shared = row_figure(state)
    assert shared.heads_with_same_keys == (4, 5, 6, 7)
    for each in shared.values.group:
        row = state.trace.weights[each.head, state.query_tokens[0]]
        np.testing.assert_array_equal(each.query, state.trace.Q[each.head, state.query_tokens[0]])
        assert each.top_weight == row.max()
        assert each.top_label == state.sentence.tokens[int(row.argmax())].text


@pytest.mark.parametrize("head", [0, 3])
def test_a_sliced_query_comes_from_the_heads_own_inputs_alone(models, head):
    state = make_state(models, head=head)
    assert row_figure(state).values.sliced is None
    sliced = row_figure(state, with_slice=True).values.sliced
    W, x = state.trace.W, state.trace.X[state.query_tokens[0]]
    first, end = head * 32, (head + 1) * 32
    assert (sliced.first, sliced.last) == (first, end - 1)
    columns = slice(head * W.d_head, (head + 1) * W.d_head)
    expected = x[first:end] @ W.query[first:end, columns] + W.query_bias[columns]
    np.testing.assert_allclose(sliced.query, expected, atol=1e-5)


def test_a_figure_tells_if_the_map_shows_other_numbers(models):
    assert not row_figure(make_state(models)).differs_from_map
    assert row_figure(make_state(models, controls={"weighted": True})).differs_from_map


def test_a_sentence_says_what_the_row_reads_most(models):
    figure = row_figure(make_state(models, head=2))
    assert figure.text.startswith(f"Head 2: {figure.query} reads {figure.top.key} most, 0.")


def test_the_row_of_a_split_word_is_that_of_its_first_piece(models):
    state = make_state(models, text="The zyzzyva sat", word=1)
    figure = row_figure(state)
    assert (figure.word, figure.query_token) == ("zyzzyva", 1)
    assert figure.query == state.sentence.tokens[1].text != "zyzzyva"
    assert figure.values.piece_of == "zyzzyva"
    assert row_figure(make_state(models, text="The zyzzyva sat", word=0)).values.piece_of == ""

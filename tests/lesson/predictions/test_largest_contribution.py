"""Which head adds most to the chosen word, computed a second time by loops."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.predictions import largest_contribution as module
from app.lesson.selection import Selection
from app.picture import format_weight
from tests.lesson.naive_attention import naive_layer

largest_contribution = PREDICTIONS["largest_contribution"]

words = st.sampled_from(["the", "cat", "sat", "because", "don't", "zyzzyva", ",", ".", "雪"])
sentences = st.one_of(
    st.lists(words, min_size=1, max_size=10).map(" ".join),
    st.sampled_from(["cat", "cat cat cat", "very " * 40, "floccinaucinihilipilification"]),
)


def inputs_of(models, text, word, model="headwise-h4", layer=0):
    sentence = models[model].tokenizer.sentence(text)
    return PredictionInput(Selection(sentence, models[model], layer, 0, word), models)


def length(vector):
    return sqrt(sum(float(number) ** 2 for number in vector))


def rounds_to(text, value):
    return float(text) == pytest.approx(value, abs=0.005 + 1e-3 * value)


def naive_parts(inputs, head):
    """Top words of a head with their weight, value length, and length after its slice of W_O."""
    layer = naive_layer(inputs.model, inputs.sentence, inputs.layer)
    trace = inputs.model.run(inputs.sentence).trace(inputs.layer)
    columns = slice(head * trace.W.d_head, (head + 1) * trace.W.d_head)
    tokens = inputs.sentence.tokens
    queries = [i for i, token in enumerate(tokens) if token.word == inputs.word]
    weights = dict.fromkeys(range(len(inputs.sentence.words)), 0.0)
    values, projected = {}, {}
    for j, token in enumerate(tokens):
        weight = sum(layer.weights[head][i][j] for i in queries) / len(queries)
        value = (
            trace.X[j].astype(np.float64) @ trace.W.value[:, columns] + trace.W.value_bias[columns]
        )
        weights[token.word] += weight
        values[token.word] = values.get(token.word, 0) + weight * value
        projected[token.word] = (
            projected.get(token.word, 0) + weight * layer.value_contributions[head][j]
        )
    best = max(weights.values())
    return {
        word: (
            weight,
            length(values[word] / weight),
            length(projected[word] / weight),
        )
        for word, weight in weights.items()
        if weight >= best - 1e-4
    }


def stated_word(inputs, values):
    """The index of the word that a reason names."""
    texts = [word.text for word in inputs.sentence.words]
    names = [
        text if texts.count(text) == 1 else f"{text} ({index + 1})"
        for index, text in enumerate(texts)
    ]
    return names.index(values["top_word"])


@given(st.data(), st.sampled_from([2, 4, 8]))
def test_the_head_whose_output_times_its_slice_is_longest_adds_most(models, data, n_heads):
    sentence = models["headwise-h4"].tokenizer.sentence(data.draw(sentences))
    word = data.draw(st.integers(0, len(sentence.words) - 1))
    layer = data.draw(st.integers(0, 1))
    inputs = inputs_of(models, sentence.text, word, f"headwise-h{n_heads}", layer)
    assert largest_contribution.ask(inputs).choice_ids == [str(head) for head in range(n_heads)]

    contributions = naive_layer(inputs.model, inputs.sentence, layer).contributions
    queries = [i for i, token in enumerate(sentence.tokens) if token.word == word]
    lengths = [sum(length(head[i]) for i in queries) / len(queries) for head in contributions]
    answer = largest_contribution.answer(inputs)
    right = [int(head) for head in answer.right]
    for head in range(n_heads):
        if lengths[head] > max(lengths) - 1e-4:
            assert head in right
        if lengths[head] < max(lengths) - 0.01 - 1e-4:
            assert head not in right
    assert rounds_to(answer.values["length"], max(lengths))
    assert {(mark.kind, mark.head) for mark in answer.marks} == {("bar", head) for head in right}

    largest = [each for each in answer.reasons if each.id == "largest"]
    others = [head for head in range(n_heads) if head not in right]
    assert sorted(int(each.values["which"]) for each in largest) == right
    assert len(answer.reasons[len(right) :]) == (1 if others else 0)
    weights = [next(iter(naive_parts(inputs, head).values()))[0] for head in range(n_heads)]
    if others:
        last = answer.reasons[-1]
        named = int(last.values["which"])
        if last.id == "strongest":
            assert named in others
            assert weights[named] == pytest.approx(max(weights), abs=1e-4)
        else:
            assert last.id == "next"
            assert lengths[named] == pytest.approx(max(lengths[head] for head in others), abs=1e-4)
            assert max(weights[head] for head in right) == pytest.approx(max(weights), abs=1e-4)
    for reason in answer.reasons:
        values = reason.values
        head = int(values["which"])
        parts = naive_parts(inputs, head)
        weight, value_length, projected_length = parts[stated_word(inputs, values)]
        assert values["top_weight"] in {format_weight(weight + e) for e in (-1e-4, 0, 1e-4)} | {"1"}
        assert rounds_to(values["value_length"], value_length)
        assert rounds_to(values["projected_length"], projected_length)
        assert rounds_to(values["product"], weight * projected_length)
        assert rounds_to(values["length"], lengths[head])


def test_lengths_that_look_the_same_tie(models, monkeypatch):
    lengths = np.array([1.0, 2.304, 2.296, 2.2])
    monkeypatch.setattr(module, "contribution_lengths", lambda *_: lengths)
    answer = largest_contribution.answer(inputs_of(models, "The cat sat down", 2))
    assert answer.right == ("1", "2")
    assert [(each.id, each.values["which"]) for each in answer.reasons] == [
        ("largest", "1"),
        ("largest", "2"),
        ("strongest", "3"),
    ]


def test_the_head_with_the_largest_weight_is_explained_if_it_does_not_add_most(models):
    answer = largest_contribution.answer(inputs_of(models, "The cat sat down", 0))
    reasons = [(each.id, each.values["which"]) for each in answer.reasons]
    assert reasons == [("largest", "1"), ("strongest", "3")]
    largest, strongest = (each.values for each in answer.reasons)
    assert float(strongest["top_weight"]) > float(largest["top_weight"])
    assert float(strongest["length"]) < float(largest["length"])


def test_one_token_can_be_asked_about(models):
    inputs = inputs_of(models, "cat", 0)
    answer = largest_contribution.answer(inputs)
    assert answer.right
    assert {reason.values["top_word"] for reason in answer.reasons} == {"cat"}
    assert {reason.values["top_weight"] for reason in answer.reasons} == {"1"}


def test_a_model_with_one_head_has_nothing_to_compare(models):
    question = largest_contribution.ask(inputs_of(models, "The cat sat", 1, "headwise-h1"))
    assert question.choices == ()
    assert question.unanswerable == "one_head"
    assert "one_head" in largest_contribution.unanswerable


@pytest.mark.parametrize(("model", "word"), [("bert", 3), ("gpt2", 2)])
def test_special_tokens_and_causal_models_can_be_asked_about(checkpoint_models, model, word):
    inputs = inputs_of(checkpoint_models, "The cat sat", word, model)
    answer = largest_contribution.answer(inputs)
    contributions = checkpoint_models[model].run(inputs.sentence).trace(0).contributions
    queries = [i for i, token in enumerate(inputs.sentence.tokens) if token.word == word]
    lengths = [np.mean([length(head[i]) for i in queries]) for head in contributions]
    assert str(int(np.argmax(lengths))) in answer.right


def test_asking_runs_no_model(models, monkeypatch):
    inputs = inputs_of(models, "The cat sat down", 2)
    monkeypatch.setattr(Selection, "run", None)
    assert largest_contribution.ask(inputs).choices
    with pytest.raises(TypeError):
        largest_contribution.answer(inputs)

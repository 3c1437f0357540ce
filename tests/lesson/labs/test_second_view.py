import numpy as np
import pytest

from app.lesson import two_views
from tests.lesson.labs.states import make_state


def beside(**controls):
    return {"panel": "beside", **controls}


def test_a_closed_panel_computes_nothing(models):
    assert two_views(make_state(models, controls={"second_text": "Birds sing"})) is None


def test_without_a_choice_both_views_are_the_same(models):
    views = two_views(make_state(models, controls=beside()))
    assert all(
        np.array_equal(one.weights, other.weights)
        for one, other in zip(views.first.heads, views.second.heads, strict=True)
    )


@pytest.mark.parametrize("model", ["headwise-h1", "headwise-h8"])
@pytest.mark.parametrize("layer", [0, 1])
def test_the_second_view_is_that_of_its_own_sentence_and_model(models, model, layer):
    controls = beside(second_text="Birds sing at night", second_model=model)
    views = two_views(make_state(models, layer=layer, controls=controls))
    sentence = models[model].tokenizer.sentence("Birds sing at night")
    weights = models[model].run(sentence).weights[layer]
    assert (views.second.model.id, views.second.layer) == (model, layer)
    assert len(views.second.heads) == len(weights)
    for figure, expected in zip(views.second.heads, weights, strict=True):
        np.testing.assert_allclose(figure.weights, expected, atol=1e-6)
        top = int(expected[figure.state.word].argmax())
        assert figure.top_word.word == sentence.words[top].text


@pytest.mark.parametrize(
    ("text", "word", "second_text", "expected"),
    [
        ("The cat sat down", 1, "A dog saw the cat", 4),
        ("The cat sat down", 1, "Birds sing beautifully", 2),
        ("The cat sat down", 0, "down the hill the stone fell", 1),
    ],
)
def test_the_same_word_asks_if_it_is_there_else_the_longest(
    models, text, word, second_text, expected
):
    state = make_state(models, text=text, word=word, controls=beside(second_text=second_text))
    assert two_views(state).second.heads[0].state.word == expected


@pytest.mark.parametrize("text", ["word " * 60, "   "])
def test_a_sentence_that_cannot_be_read_has_no_heads(models, text):
    views = two_views(make_state(models, controls=beside(second_text=text)))
    assert views.second is None
    assert views.first.heads
    assert views.n_tokens == len(models["headwise-h4"].tokenizer.sentence(text).tokens)


def test_switched_off_heads_belong_to_the_first_model(models):
    controls = beside(second_model="headwise-h1", off=frozenset({(0, 3)}), groups=2)
    second = two_views(make_state(models, controls=controls)).second
    assert second.heads[0].state.controls.off == frozenset()
    assert second.heads[0].state.controls.groups == 0

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.attention import Intervention
from app.models.guess import NoBlankError, fill_in, largest
from training.export import shipped_names
from training.model import MaskedWordModel, Sizes


def guesses(models, text, n_heads=4, **options):
    model = models[f"headwise-h{n_heads}"]
    return fill_in(model, model.tokenizer.sentence(text), **options)


@pytest.mark.parametrize("n_heads", [2, 4, 8])
def test_a_door_is_opened(models, n_heads):
    (blank,) = guesses(models, "She opened the [MASK] and went into the room.", n_heads)
    assert blank.token == 3
    assert blank.guesses[0].text == "door"


def test_every_blank_is_filled_with_the_likeliest_first(models):
    blanks = guesses(models, "[MASK] [MASK] the [MASK].", top=8)
    assert [blank.token for blank in blanks] == [0, 1, 3]
    for blank in blanks:
        probabilities = [guess.probability for guess in blank.guesses]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(probabilities) == 8


def test_all_guesses_together_are_certain(models):
    (blank,) = guesses(models, "The [MASK]", top=10_000)
    assert len(blank.guesses) == 8192
    assert sum(guess.probability for guess in blank.guesses) == pytest.approx(1, abs=1e-4)


def test_a_head_that_is_off_changes_the_guess(models):
    text = "She opened the [MASK] and went into the room."
    off = Intervention(heads_off=frozenset({(0, 2)}))
    assert guesses(models, text) != guesses(models, text, intervention=off)


def test_without_a_blank_it_says_how_to_make_one(models):
    with pytest.raises(NoBlankError, match=r"Write \[MASK\]"):
        guesses(models, "The cat sat down")


@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_torch_makes_the_same_guesses_from_the_shipped_weights(models, n_heads):
    model = models[f"headwise-h{n_heads}"]
    shipped = model.transformer
    theirs = MaskedWordModel(Sizes(n_heads, model.card.vocabulary)).eval()
    state = theirs.state_dict()
    for name, source in shipped_names(model.card.n_layers).items():
        tensor = torch.from_numpy(np.ascontiguousarray(_at(shipped, name)))
        state[source.removesuffix(".T")] = tensor.T if source.endswith(".T") else tensor
    theirs.load_state_dict(state)
    sentence = model.tokenizer.sentence("The [MASK] sat down and the dog [MASK] it.")
    ids = torch.tensor([sentence.ids])
    with torch.no_grad():
        likely = theirs(ids, ids == 2).softmax(-1)
    for row, blank in zip(likely, fill_in(model, sentence, top=20), strict=True):
        top = row.sort(descending=True).values[:20].numpy()
        np.testing.assert_allclose([g.probability for g in blank.guesses], top, atol=1e-4)


def _at(transformer, name):
    """The array that a shipped tensor of this name became."""
    names = {"attention.qkv.weight": "attention.qkv", "attention.qkv.bias": "attention.qkv_bias"}
    names |= {
        "attention.output.weight": "attention.output",
        "attention.output.bias": "attention.output_bias",
        "logits_bias": "words.bias",
    }
    place = transformer
    if name.startswith("layers."):
        _, index, name = name.split(".", 2)
        place = transformer.layers[int(index)]
    for part in names.get(name, name).split("."):
        place = getattr(place, part)
    return place


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=12), st.integers(1, 14))
def test_the_largest_come_first_and_of_equals_the_first(figures, top):
    expected = sorted(range(len(figures)), key=lambda place: -figures[place])[:top]
    assert largest(np.array(figures), top) == expected

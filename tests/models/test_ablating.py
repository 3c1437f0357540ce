import numpy as np
import pytest

from app.attention import forward
from app.attention.textbook import softmax
from app.attention.transformer import logits
from app.evaluation.ablation import change, hidden_words, next_words, token_losses

IDS = np.arange(100, 140)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_what_is_hidden_is_asked_for_and_all_else_is_shown(rng):
    asked = hidden_words(IDS, range(len(IDS)), 2, rng)
    assert np.all(asked.shown[asked.at] == 2)
    assert np.all(asked.truth == IDS[asked.at])
    others = np.setdiff1d(np.arange(len(IDS)), asked.at)
    assert np.all(asked.shown[others] == IDS[others])


def test_only_words_are_hidden_and_always_one_of_them(rng):
    for _ in range(50):
        asked = hidden_words(IDS[:4], [1, 2], 2, rng)
        assert set(asked.at) <= {1, 2}
        assert len(asked.at)


def test_about_fifteen_in_a_hundred_are_hidden(rng):
    hidden = sum(len(hidden_words(IDS, range(len(IDS)), 2, rng).at) for _ in range(200))
    assert hidden / (200 * len(IDS)) == pytest.approx(0.15, abs=0.01)


def test_every_token_but_the_first_is_asked_for_where_the_one_before_it_stands():
    asked = next_words(IDS)
    assert np.all(asked.shown == IDS)
    assert np.all(asked.truth == IDS[asked.at + 1])
    assert len(asked.at) == len(IDS) - 1


def test_a_loss_is_minus_the_logarithm_of_the_truths_probability(models, rng):
    model = models["headwise-h2"].transformer
    asked = hidden_words(IDS, range(len(IDS)), 2, rng)
    probabilities = softmax(logits(model, forward(model, asked.shown).hidden[asked.at]))
    truths = probabilities[np.arange(len(asked.at)), asked.truth]
    assert token_losses(model, [asked]) == pytest.approx(-np.log(truths), abs=1e-4)


def test_a_change_is_paired():
    whole, changed = np.array([1.0, 5.0, 9.0]), np.array([1.5, 5.5, 9.5])
    assert change(changed, whole) == (0.5, 0.0)

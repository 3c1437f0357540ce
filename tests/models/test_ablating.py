import numpy as np
import pytest

from app.attention import forward
from app.attention.textbook import softmax
from app.attention.transformer import logits
from app.evaluation.ablation import mask_tokens, next_token_targets, paired_difference, token_losses

IDS = np.arange(100, 140)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_what_is_hidden_is_asked_for_and_all_else_is_shown(rng):
    asked = mask_tokens(IDS, range(len(IDS)), 2, rng)
    assert np.all(asked.input_ids[asked.positions] == 2)
    assert np.all(asked.target_ids == IDS[asked.positions])
    others = np.setdiff1d(np.arange(len(IDS)), asked.positions)
    assert np.all(asked.input_ids[others] == IDS[others])


def test_only_words_are_hidden_and_always_one_of_them(rng):
    for _ in range(50):
        asked = mask_tokens(IDS[:4], [1, 2], 2, rng)
        assert set(asked.positions) <= {1, 2}
        assert len(asked.positions)


def test_about_fifteen_in_a_hundred_are_hidden(rng):
    hidden = sum(len(mask_tokens(IDS, range(len(IDS)), 2, rng).positions) for _ in range(200))
    assert hidden / (200 * len(IDS)) == pytest.approx(0.15, abs=0.01)


def test_every_token_but_the_first_is_asked_for_where_the_one_before_it_stands():
    asked = next_token_targets(IDS)
    assert np.all(asked.input_ids == IDS)
    assert np.all(asked.target_ids == IDS[asked.positions + 1])
    assert len(asked.positions) == len(IDS) - 1


def test_a_loss_is_minus_the_logarithm_of_the_truths_probability(models, rng):
    model = models["headwise-h2"].transformer
    asked = mask_tokens(IDS, range(len(IDS)), 2, rng)
    probabilities = softmax(logits(model, forward(model, asked.input_ids).hidden[asked.positions]))
    truths = probabilities[np.arange(len(asked.positions)), asked.target_ids]
    assert token_losses(model, [asked]) == pytest.approx(-np.log(truths), abs=1e-4)


def test_a_change_is_paired():
    whole, changed = np.array([1.0, 5.0, 9.0]), np.array([1.5, 5.5, 9.5])
    assert paired_difference(changed, whole) == (0.5, 0.0)

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


def test_masked_tokens_are_the_targets_and_all_others_are_visible(rng):
    targets = mask_tokens(IDS, range(len(IDS)), 2, rng)
    assert np.all(targets.input_ids[targets.positions] == 2)
    assert np.all(targets.target_ids == IDS[targets.positions])
    others = np.setdiff1d(np.arange(len(IDS)), targets.positions)
    assert np.all(targets.input_ids[others] == IDS[others])


def test_only_words_are_masked_and_always_at_least_one(rng):
    for _ in range(50):
        targets = mask_tokens(IDS[:4], [1, 2], 2, rng)
        assert set(targets.positions) <= {1, 2}
        assert len(targets.positions)


def test_about_fifteen_percent_are_masked(rng):
    hidden = sum(len(mask_tokens(IDS, range(len(IDS)), 2, rng).positions) for _ in range(200))
    assert hidden / (200 * len(IDS)) == pytest.approx(0.15, abs=0.01)


def test_every_token_but_the_first_is_the_target_of_its_predecessor():
    targets = next_token_targets(IDS)
    assert np.all(targets.input_ids == IDS)
    assert np.all(targets.target_ids == IDS[targets.positions + 1])
    assert len(targets.positions) == len(IDS) - 1


def test_a_loss_is_minus_the_log_probability_of_the_target(models, rng):
    model = models["headwise-h2"].transformer
    targets = mask_tokens(IDS, range(len(IDS)), 2, rng)
    probabilities = softmax(
        logits(model, forward(model, targets.input_ids).hidden[targets.positions])
    )
    target_probabilities = probabilities[np.arange(len(targets.positions)), targets.target_ids]
    assert token_losses(model, [targets]) == pytest.approx(-np.log(target_probabilities), abs=1e-4)


def test_the_change_of_losses_is_paired_by_target():
    baseline, changed = np.array([1.0, 5.0, 9.0]), np.array([1.5, 5.5, 9.5])
    assert paired_difference(changed, baseline) == (0.5, 0.0)

import numpy as np

from training.masking import Text, masked, window_length

VOCABULARY = 1000


def batch(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, VOCABULARY, (400, 48))
    return masked(truth, rng, mask_id=2, n_special=3, vocabulary=VOCABULARY)


def test_fifteen_percent_are_asked_for_most_of_them_as_a_mask():
    drawn = batch()
    assert abs(drawn.at.mean() - 0.15) < 0.01
    shown, truth = drawn.shown[drawn.at], drawn.truth[drawn.at]
    assert abs((shown == 2).mean() - 0.8) < 0.02
    assert abs((shown == truth).mean() - 0.1) < 0.02


def test_what_is_not_asked_for_is_shown_as_it_is():
    drawn = batch()
    assert np.array_equal(drawn.shown[~drawn.at], drawn.truth[~drawn.at])


def test_special_tokens_are_never_asked_for():
    assert batch().truth[batch().at].min() >= 3


def test_the_seed_decides_everything():
    assert np.array_equal(batch(1).shown, batch(1).shown)
    assert not np.array_equal(batch(1).shown, batch(2).shown)


def test_windows_begin_where_sentences_begin_and_stay_inside_the_text():
    tokens = np.arange(1000, dtype=np.uint16)
    text = Text(tokens, np.arange(0, 1000, 7))
    windows = text.windows(np.random.default_rng(0), 500, 48)
    assert windows.shape == (500, 48)
    assert np.all(windows[:, 0] % 7 == 0)
    assert np.all(np.diff(windows, axis=1) == 1)
    assert windows.max() < 1000


def test_half_of_the_windows_are_as_long_as_can_be_and_none_is_longer():
    rng = np.random.default_rng(0)
    lengths = np.array([window_length(rng, 48) for _ in range(2000)])
    assert lengths.min() >= 4
    assert lengths.max() == 48
    assert abs((lengths == 48).mean() - 0.5) < 0.04

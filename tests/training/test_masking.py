import numpy as np

from training.masking import EncodedText, mask_batch, window_length

VOCABULARY = 1000


def masked_batch(seed=0):
    rng = np.random.default_rng(seed)
    original_ids = rng.integers(0, VOCABULARY, (400, 48))
    return mask_batch(original_ids, rng, mask_id=2, n_special=3, vocabulary=VOCABULARY)


def test_fifteen_percent_are_targets_most_of_them_masked():
    batch = masked_batch()
    assert abs(batch.is_target.mean() - 0.15) < 0.01
    input_ids, original_ids = batch.input_ids[batch.is_target], batch.original_ids[batch.is_target]
    assert abs((input_ids == 2).mean() - 0.8) < 0.02
    assert abs((input_ids == original_ids).mean() - 0.1) < 0.02


def test_tokens_that_are_not_targets_are_unchanged():
    batch = masked_batch()
    assert np.array_equal(batch.input_ids[~batch.is_target], batch.original_ids[~batch.is_target])


def test_special_tokens_are_never_targets():
    assert masked_batch().original_ids[masked_batch().is_target].min() >= 3


def test_the_seed_decides_everything():
    assert np.array_equal(masked_batch(1).input_ids, masked_batch(1).input_ids)
    assert not np.array_equal(masked_batch(1).input_ids, masked_batch(2).input_ids)


def test_windows_begin_where_sentences_begin_and_stay_inside_the_text():
    tokens = np.arange(1000, dtype=np.uint16)
    text = EncodedText(tokens, np.arange(0, 1000, 7))
    windows = text.windows(np.random.default_rng(0), 500, 48)
    assert windows.shape == (500, 48)
    assert np.all(windows[:, 0] % 7 == 0)
    assert np.all(np.diff(windows, axis=1) == 1)
    assert windows.max() < 1000


def test_half_of_the_windows_have_the_maximum_length_and_none_is_longer():
    rng = np.random.default_rng(0)
    lengths = np.array([window_length(rng, 48) for _ in range(2000)])
    assert lengths.min() >= 4
    assert lengths.max() == 48
    assert abs((lengths == 48).mean() - 0.5) < 0.04

import pytest
from pydantic import ValidationError

from app.lesson.options import CacheSizes, NoOptions

SIZES = {"layers": 3, "heads": 8, "kv_heads": 2, "d_head": 4}


def test_a_key_and_a_value_are_cached_for_each_layer_set_and_token():
    sizes = CacheSizes(**SIZES)
    assert sizes.kv_cache_size(5) == 2 * 3 * 2 * 4 * 5
    assert sizes.unshared.kv_cache_size(5) == 2 * 3 * 8 * 4 * 5
    assert sizes.unshared == CacheSizes(**SIZES | {"kv_heads": 8})


@pytest.mark.parametrize("name", SIZES)
def test_every_size_is_given_and_positive(name):
    with pytest.raises(ValidationError):
        CacheSizes(**SIZES | {name: 0})
    with pytest.raises(ValidationError):
        CacheSizes(**{key: value for key, value in SIZES.items() if key != name})


def test_no_other_option_is_accepted():
    with pytest.raises(ValidationError):
        CacheSizes(**SIZES, d_tail=1)
    with pytest.raises(ValidationError):
        NoOptions(name="x")

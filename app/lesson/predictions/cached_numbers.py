"""Prediction: how many numbers does the key/value cache of a model hold?"""

from app.lesson.options import CacheSizes
from app.lesson.predictions.question import (
    Answer,
    PredictionInput,
    PredictionType,
    Question,
    number_choices,
)


def ask(inputs: PredictionInput) -> Question:
    """Ask for the cache of a model with the sizes in the options.

    The wrong choices have no sharing, share among all heads, or leave out keys or values.
    """
    sizes, n = CacheSizes.model_validate(inputs.options), len(inputs.sentence.tokens)
    right = sizes.kv_cache_size(n)
    one_head = sizes.model_copy(update={"kv_heads": 1})
    wrong = [sizes.unshared.kv_cache_size(n), one_head.kv_cache_size(n), right // 2]
    return Question(number_choices(sorted({right, *wrong})))


def answer(inputs: PredictionInput) -> Answer:
    sizes, n = CacheSizes.model_validate(inputs.options), len(inputs.sentence.tokens)
    values = {"all_heads": f"{sizes.unshared.kv_cache_size(n):,}"}
    return Answer((str(sizes.kv_cache_size(n)),), values)


CACHED_NUMBERS = PredictionType(
    ask,
    answer,
    depends_on=("text",),
    placeholders=("all_heads",),
    options_type=CacheSizes,
)

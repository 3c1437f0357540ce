"""The order in which the options of a check are shown: the right one is not always the first."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from app.lesson.schema import CheckOption


def ordered_options(
    options: Sequence[CheckOption], lesson_slug: str, step_slug: str, number: int
) -> tuple[CheckOption, ...]:
    """Return the options in an order that is the same for every request.

    It follows from the names of lesson and step and from the options' ids. In as many successive
    steps as there are options, the right one has each place once, in an order that depends on the
    lesson.
    """
    wrong = sorted(
        (option for option in options if not option.right),
        key=lambda option: _digest(lesson_slug, step_slug, option.id),
    )
    round_number, turn = divmod(number - 1, len(options))
    seed = _digest(lesson_slug, str(round_number))
    place = int(np.random.default_rng(seed).permutation(len(options))[turn])
    right = [option for option in options if option.right]
    return (*wrong[:place], *right, *wrong[place:])


def _digest(*names: str) -> int:
    return int.from_bytes(sha256("/".join(names).encode()).digest()[:8], "big")

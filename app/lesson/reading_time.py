"""How long a step takes: its visible words, and what there is to do."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from app.lesson.markdown import render_inline
from app.lesson.prose import Segment
from app.lesson.schema import StepConfig

WORDS_PER_MINUTE = 200
SECONDS_PER_ACTION = 20

_FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_INLINE_TAG = re.compile(r"</?(?:a|b|bdi|cite|code|em|i|span|strong|sub|sup)\b[^>]*>")


@dataclass(frozen=True)
class ReadingTime:
    """The visible words of a step, and its actions: links that act, the prediction, the check."""

    words: int
    actions: int

    @property
    def minutes(self) -> float:
        return self.words / WORDS_PER_MINUTE + self.actions * SECONDS_PER_ACTION / 60

    @property
    def half_minutes(self) -> int:
        """The minutes in whole halves of a minute, to the nearest, at least one."""
        return max(1, floor(self.minutes * 2 + 0.5))

    @property
    def rounded(self) -> str:
        """The minutes rounded to halves, such as "1.5" or "2"."""
        return f"{self.half_minutes / 2:g}"


def reading_time(config: StepConfig, segments: Sequence[Segment]) -> ReadingTime:
    """Return the reading time of a step on its default sentence.

    What is folded away under "deeper" does not count, nor what is shown for other sentences only.
    """
    # What is inside a "deeper" segment is not in the list.
    shown = [segment for segment in segments if segment.condition != "own"]
    phrases = (
        config.title,
        config.objective,
        config.predict.question,
        config.check.question,
        *(option.text for option in config.check.options),
    )
    htmls = [_html(segment) for segment in shown] + [render_inline(phrase) for phrase in phrases]
    n_links = sum(len(segment.live_html.acting_links) for segment in shown if segment.live_html)
    return ReadingTime(sum(map(count_words, htmls)), n_links + len(("predict", "check")))


def total_minutes(times: Iterable[ReadingTime]) -> float:
    """Return the minutes of several steps: those that the steps show add up to it."""
    return sum(time.half_minutes for time in times) / 2


def count_words(html: str) -> int:
    """Return the number of words of HTML. A formula is one word."""
    text = _TAG.sub(" ", _INLINE_TAG.sub("", _FORMULA.sub(" formula ", html)))
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def _html(segment: Segment) -> str:
    return segment.live_html.render(_OneWord()) if segment.live_html else segment.html


class _OneWord(dict[str, str]):
    """Every placeholder has the value of one word."""

    def __missing__(self, name: str) -> str:
        return name

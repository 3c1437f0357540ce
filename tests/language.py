"""Measure the words of the lessons, and write them as a table into docs/quality.md.

python -m tests.language
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.evaluation.registry import load_evidence
from app.lesson import Lesson, Step, load_lessons
from app.lesson.markdown import render_inline
from app.lesson.prose import DEEPER, Segment
from app.models import load_builtin_models
from app.settings import site_folder
from tests.readability import flesch_kincaid_grade, sentences, words
from tests.web.html import Element, parse_html

REPORT = Path(__file__).parent.parent / "docs" / "quality.md"
TITLE = "## The words of the lesson"
MAX_SENTENCE = 20
"""The largest number of words in a sentence."""

MAX_GRADE = 8.0
MAX_MINUTES = 12
MAX_WORDS = 200
MAX_WORDS_OF_FIRST_STEP = 330

SENTENCE_ENDS = (".", "?", "!", ":")

_FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\w+\}")
_BLOCKS = ("p", "li", "td", "th", "h2", "h3")


def paragraphs(html: str) -> list[str]:
    """Return the text of each paragraph, item and cell. A formula is one word."""
    root = parse_html(_FORMULA.sub("x", html))
    return [block.text for block in _innermost_blocks(root) if block.text]


def _innermost_blocks(root: Element) -> Iterator[Element]:
    for element in root.descendants:
        if element.tag in _BLOCKS and not any(each.tag in _BLOCKS for each in element.descendants):
            yield element


def phrase(markdown: str) -> str:
    """Return the text of an inline Markdown phrase. Placeholders are one word each."""
    html = _FORMULA.sub("x", render_inline(markdown))
    return _PLACEHOLDER.sub("word", parse_html(html).text)


class _OneWord(dict[str, str]):
    """Every placeholder has the value of one word."""

    def __missing__(self, name: str) -> str:
        return "word"


def prose(segments: Sequence[Segment], *, deeper: bool) -> Iterator[str]:
    """Yield the paragraphs of segments: those that are folded away, or those that are not."""
    for segment in segments:
        if segment.kind == DEEPER:
            if deeper:
                yield from prose_of_all(segment.segments)
        elif not deeper:
            yield from prose_of_all((segment,))


def prose_of_all(segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        live = segment.live_html
        yield from paragraphs(live.render(_OneWord()) if live else segment.html)


def visible_texts(step: Step) -> list[str]:
    """Return what learners read without opening anything, for every kind of sentence."""
    return [
        step.config.title,
        phrase(step.config.objective),
        *prose(step.segments, deeper=False),
        phrase(step.config.predict.question),
        phrase(step.config.check.question),
        *(phrase(option.text) for option in step.config.check.options),
    ]


def other_texts(step: Step) -> list[str]:
    """Return what appears later: verdicts, reasons, feedback, what is folded away, sources."""
    predict, check = step.config.predict, step.config.check
    texts = [
        predict.right,
        predict.wrong,
        predict.shown,
        predict.hidden,
        *([predict.next] if predict.next else []),
        *predict.reasons.values(),
        *predict.unanswerable.values(),
        *predict.labels.values(),
        *(option.feedback for option in check.options),
        *(citation.claim for citation in step.config.citations),
    ]
    return [*prose(step.segments, deeper=True), *map(phrase, texts)]


def texts_of_lesson(lesson: Lesson) -> list[str]:
    """Return the texts of the end page and of the glossary."""
    texts = [entry.definition for entry in lesson.glossary.values()]
    if end := lesson.config.end:
        texts += [end.title, end.text, end.rewrite]
        texts += [text for item in end.recall for text in (item.question, item.answer)]
    return [phrase(text) for text in [lesson.config.summary, *texts]]


def grade(texts: Sequence[str]) -> float:
    """Return the grade of the texts that are sentences: titles, labels and cells do not count."""
    return flesch_kincaid_grade(text for text in texts if text.rstrip("”)").endswith(SENTENCE_ENDS))


def long_sentences(texts: Sequence[str]) -> list[str]:
    """Return the sentences with more than `MAX_SENTENCE` words."""
    return [
        sentence
        for text in texts
        for sentence in sentences(text)
        if len(words(sentence)) > MAX_SENTENCE
    ]


@dataclass(frozen=True)
class Measurement:
    """A row of the table. The grades are those of the visible prose, and of all other texts."""

    name: str
    words: int
    words_allowed: int
    long_sentences: int
    grade: float
    grade_of_others: float
    minutes: float


def measure(step: Step) -> Measurement:
    visible, others = visible_texts(step), other_texts(step)
    return Measurement(
        f"{step.number}. {step.config.title}",
        step.reading_time.words,
        MAX_WORDS_OF_FIRST_STEP if step.number == 1 else MAX_WORDS,
        len(long_sentences([*visible, *others])),
        grade(visible),
        grade(others),
        step.reading_time.minutes,
    )


def shipped_lesson() -> Lesson:
    models, _ = load_evidence(load_builtin_models())
    (lesson,) = load_lessons(site_folder("lessons"), models).lessons
    return lesson


def section(lesson: Lesson) -> str:
    """Return the section of docs/quality.md about the words of a lesson."""
    rows = [measure(step) for step in lesson.steps]
    lines = [
        f"| {row.name} | {row.words} of {row.words_allowed} | {row.long_sentences}"
        f" | {row.grade:.1f} | {row.grade_of_others:.1f} | {row.minutes:.1f} |"
        for row in rows
    ]
    minutes = sum(row.minutes for row in rows)
    return "\n".join(
        [
            TITLE,
            "",
            "Written by `python -m tests.language`. Visible words are those that a learner reads"
            " without opening",
            "anything; tables count, and a formula is one word. Grades are Flesch–Kincaid grades"
            " of all sentences,",
            f"at most {MAX_GRADE:g}. Minutes are words ÷ 200 and 20 seconds for each action: a"
            " prediction, a check, or a link",
            "that changes the view. `tests/lesson/test_language.py` holds the lesson to these"
            " limits.",
            "",
            f"| Step | Visible words | Sentences over {MAX_SENTENCE} words | Grade, visible"
            " | Grade, all else | Minutes |",
            "|---|---|---|---|---|---|",
            *lines,
            f"| All steps | {sum(row.words for row in rows)}"
            f" | {sum(row.long_sentences for row in rows)} | | | {minutes:.1f} of {MAX_MINUTES} |",
            "",
        ]
    )


def with_section(report: str, new: str) -> str:
    """Return a report in which `new` replaces the section of the same title, or follows."""
    title = new.partition("\n")[0]
    pattern = re.compile(rf"^{re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    before, *after = pattern.split(report, maxsplit=1)
    rest = "".join(after)
    return f"{before.rstrip()}\n\n{new}" + (f"\n{rest}" if rest else "")


def main() -> None:
    report = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(with_section(report, section(shipped_lesson())), encoding="utf-8")


if __name__ == "__main__":
    main()

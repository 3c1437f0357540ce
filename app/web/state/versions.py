"""Lesson versions in URLs: a link names the version whose defaults it leaves out.

Links of a version that asked another question open with everything shown, as they did then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.lesson import Defaults, Lesson, Step
from app.lesson.asking_word import longest_word
from app.models import Model, Sentence
from app.models.registry import join_with_and
from app.web.state.query_params import Problem, quote_for_message

VERSION_PARAM = "v"
"""Query parameter: the lesson version that supplies the defaults."""


@dataclass(frozen=True)
class PinnedVersion:
    """Lesson version named by a URL, with its step defaults.

    If `version` is None, URLs list every parameter. `problem` is set if the URL names an unknown
    version. `weights_sha256` maps model id to the SHA-256 of the weights at release time.

    asked_otherwise: the version asked another question about this step. Its links carry an answer
        to that question, and show what is now hidden until learners predict.
    first_word_asks: in a link of this version without a word, the first word of the learner's own
        sentence asks; else the longest.
    """

    version: str | None
    defaults: Defaults
    problem: Problem | None = None
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    asked_otherwise: bool = False
    first_word_asks: bool = False

    @property
    def params(self) -> dict[str, str]:
        """The query parameters that name this version."""
        return {VERSION_PARAM: self.version} if self.version else {}

    def default_word(self, sentence: Sentence) -> int:
        """Return the word that asks if a link names none."""
        if sentence.text == self.defaults.text:
            return self.defaults.word
        return 0 if self.first_word_asks else longest_word(sentence)

    def weights_differ(self, model: Model) -> bool:
        """Return whether the model's weights changed since this version was released."""
        pinned_sha256 = self.weights_sha256.get(model.card.id)
        return pinned_sha256 is not None and pinned_sha256 != model.weights_sha256


def resolve_version(query: Mapping[str, str], lesson: Lesson, step: Step) -> PinnedVersion:
    """Return the version that a link names if it recorded the step, else the current one.

    A step that neither of them recorded has no version, so that its links do not depend on
    defaults that may still change.
    """
    requested = query.get(VERSION_PARAM)
    problem = None
    if requested is not None and requested not in lesson.versions:
        available = join_with_and([*lesson.versions]) if lesson.versions else "none"
        message = (
            f"This link is of version “{quote_for_message(requested)}” of the lesson."
            f" There is {available}."
        )
        problem = Problem(VERSION_PARAM, message, tuple(lesson.versions))
    name = lesson.version_for_link(step, requested)
    if name is None:
        return PinnedVersion(None, step.config.defaults, problem)
    recorded = lesson.versions[name]
    return PinnedVersion(
        name,
        recorded.steps[step.slug],
        problem,
        recorded.models,
        asked_otherwise=not recorded.asks(step.slug, step.config.predict.computed_by),
        first_word_asks=recorded.missing_word == "first",
    )

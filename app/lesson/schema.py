"""What the `.toml` beside a step's prose may hold."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Defaults(_Config):
    """The view that a bare address of the step shows; layers, heads and words count from 0."""

    text: Text
    model: Text
    layer: int = Field(0, ge=0)
    head: int = Field(0, ge=0)
    word: int = Field(0, ge=0)


class LabConfig(_Config):
    """`name` is a registered lab; the rest are its own options."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Text

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Prediction(_Config):
    """A question about the learner's own sentence; `declared` is the answer on the default one.

    Words in braces are filled in: see `questions.COMMON_PLACEHOLDERS`. `model` is the one that is
    asked, if it is not the one that the learner has chosen. `options` are those of `computed_by`,
    `choice` is what stands on each answer's button, `labels` what stands on those that are no
    figures, by the answer's id.
    """

    question: Text
    computed_by: Text
    model: Text | None = None
    declared: Text
    options: dict[str, Any] = {}
    choice: Text = "{value}"
    labels: dict[str, Text] = {}
    right: Text
    wrong: Text
    reveal: Text


class CheckOption(_Config):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    text: Text
    feedback: Text
    right: bool = False


class Check(_Config):
    question: Text
    options: list[CheckOption] = Field(min_length=3, max_length=3)


class Citation(_Config):
    """`claim` says what the source is cited for."""

    claim: Text
    source: Text


class StepConfig(_Config):
    """`NN-slug.toml`: the config of the step whose prose is `NN-slug.md`."""

    title: Text
    objective: Text
    minutes: float = Field(gt=0, le=10)
    defaults: Defaults
    lab: LabConfig
    predict: Prediction
    check: Check
    citations: list[Citation] = []


class RecallQuestion(_Config):
    """A question about an earlier step, to be answered from memory."""

    step: int = Field(ge=1)
    question: Text
    answer: Text


class EndPage(_Config):
    """The page after the last step; `rewrite` asks for an answer in the learner's own words."""

    title: Text
    text: Text
    rewrite: Text
    recall: list[RecallQuestion]


class PlannedStep(_Config):
    """A step that is still to be written."""

    number: int = Field(ge=1)
    title: Text


class LessonConfig(_Config):
    """`lesson.toml`. Links name the `version`: see `releases`."""

    title: Text
    version: Text | None = None
    subtitle: Text
    summary: Text
    difficulty: Text
    minutes: Text
    prerequisites: list[Text]
    planned: list[PlannedStep] = []
    end: EndPage | None = None

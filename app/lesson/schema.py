"""Schemas of `lesson.toml` and of the `.toml` file of a step."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Defaults(_Config):
    """The view of a link without a query. Layers, heads and words are counted from 0."""

    text: Text
    model: Text
    layer: int = Field(0, ge=0)
    head: int = Field(0, ge=0)
    word: int = Field(0, ge=0)


class LabConfig(_Config):
    """`name` is a key of `LABS`; all other keys are options of that lab."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Text

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Prediction(_Config):
    """A question about the learner's sentence, whose answer the models compute.

    Texts may contain placeholders in braces: see `predictions.COMMON_PLACEHOLDERS`.

    computed_by: a key of `PREDICTIONS`; `options` are the options of that prediction.
    model: the model that the question is about; None for the model that the learner has chosen.
    declared: the answer for the default sentence, which validation compares with the models.
    choice: the text of the answers' buttons; `labels` are other texts, by the answer's id.
    right, wrong: the verdict on the learner's answer; `shown` stands there without an answer.
    reasons: sentences that explain the answer, by the ids that the prediction computes.
    next: what to try next, with links that change the lab.
    unanswerable: what stands in place of choices if the question makes no sense, by its cause.
    hidden: what stands in the lab in place of the parts that answer the question.
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
    shown: Text = "The answer: {answer}."
    reasons: dict[str, Text] = {}
    next: Text | None = None
    unanswerable: dict[str, Text] = {}
    hidden: Text = "Appears when you have predicted."


class CheckOption(_Config):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    text: Text
    feedback: Text
    right: bool = False


class Check(_Config):
    question: Text
    options: list[CheckOption] = Field(min_length=3, max_length=3)


class Citation(_Config):
    """A source and the claim that it supports.

    `doi`, `arxiv` and `url` lead to the source; the page shows the id, or the URL's host.
    """

    claim: Text
    source: Text
    doi: Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    arxiv: Annotated[str, StringConstraints(pattern=r"^(\d{4}\.\d{4,5}|[a-z-]+/\d{7})$")] | None = (
        None
    )
    url: Annotated[str, StringConstraints(pattern=r"^(https://\S+|/\S*)$")] | None = None

    @property
    def links(self) -> list[tuple[str, str]]:
        """The text and the address of each link to the source."""
        found = []
        if self.doi:
            found.append((f"doi:{self.doi}", f"https://doi.org/{self.doi}"))
        if self.arxiv:
            found.append((f"arXiv:{self.arxiv}", f"https://arxiv.org/abs/{self.arxiv}"))
        if self.url:
            found.append((self.url.removeprefix("https://"), self.url))
        return found


class Code(_Config):
    """The code of the step: `show` is a key of `step_code.EXCERPTS`."""

    show: Text


class GlossaryEntry(_Config):
    """A term and its definition in one sentence. Without a `name`, the term's id is its name."""

    definition: Text
    name: Text | None = None


class StepConfig(_Config):
    """`NN-slug.toml`: the config of the step whose prose is `NN-slug.md`."""

    title: Text
    objective: Text
    defaults: Defaults
    lab: LabConfig
    predict: Prediction
    check: Check
    code: Code | None = None
    citations: list[Citation] = []


class RecallQuestion(_Config):
    """A question about an earlier step that learners answer from memory."""

    step: int = Field(ge=1)
    question: Text
    answer: Text


class EndPage(_Config):
    """The page after the last step. `rewrite` asks for an answer in the learner's own words."""

    title: Text
    text: Text
    rewrite: Text
    recall: list[RecallQuestion]


class PlannedStep(_Config):
    """A step that is not written yet."""

    number: int = Field(ge=1)
    title: Text


class LessonConfig(_Config):
    """`lesson.toml`. `version` is part of links: see `versions`."""

    title: Text
    version: Text | None = None
    subtitle: Text
    summary: Text
    difficulty: Text
    prerequisites: list[Text]
    planned: list[PlannedStep] = []
    end: EndPage | None = None

"""What the templates of a step show, as typed groups."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

from app.lesson import Answer, Lab, LabState, Lesson, Question, Step, compare, explain, two_views
from app.lesson.labs.compare import Comparison
from app.lesson.labs.explain import Explanation
from app.lesson.labs.head_figure import (
    HeadFigure,
    HeadThumbnail,
    head_thumbnails,
    layer_figures,
)
from app.lesson.labs.row_figure import RowFigure, row_figure
from app.lesson.labs.second_view import TwoViews
from app.lesson.loader import END_SLUG
from app.web.context import AppContext, ModelChoices
from app.web.rendering.embed import iframe_html
from app.web.rendering.prose import ProseContext, prose_context
from app.web.rendering.weight_table import WeightTable, weight_table
from app.web.state.assignments import ASSIGNMENT_PARAM
from app.web.state.form import (
    MAX_LAYER_BUTTONS,
    hidden_fields,
    previous_controls,
    previous_selection,
)
from app.web.state.links import EMBED_PARAM, PLAYGROUND_PARAM, oembed_discovery_url, path_of
from app.web.state.query_params import Problem, first_problems
from app.web.state.requested_view import RequestedView
from app.web.state.view import ViewState

DISABLED = Markup(" disabled")
NEW_TAB = Markup(' target="_blank" rel="noopener"')


@dataclass(frozen=True)
class NavigationContext:
    """Links to this step and to the others.

    `step_urls` are links to all steps by slug, with what they carry along. `new_tab` holds the
    attributes of links that leave the lab: an embedded lab keeps its frame. `path` is escaped.
    """

    path: Markup
    step_urls: Mapping[str, str]
    previous_step: Step | None
    next_step: Step | None
    previous_url: str | None
    next_url: str | None
    end_path: str | None
    new_tab: str


@dataclass(frozen=True)
class FormContext:
    """The lab's form; see `app.web.state.form`.

    `layout` is the chosen one of `layouts`; `fixed` names the
    parameters whose controls are disabled.
    """

    typed_text: str
    hidden_fields: Mapping[str, str]
    previous_selection: Mapping[str, str]
    previous_controls: Mapping[str, str]
    problems: Sequence[Problem]
    nearest_valid_url: str
    model_choices: ModelChoices
    all_models: Sequence[str]
    layouts: Sequence[str]
    layout: str
    has_layer_menu: bool
    fixed: tuple[str, ...]

    def disabled(self, name: str) -> str:
        """Return the HTML attribute that disables the control of a fixed parameter, else ""."""
        return DISABLED if name in self.fixed else ""


@dataclass(frozen=True)
class LabContext:
    """What the lab computed.

    `displayed` is `state`, or its shuffled form if the view shuffles the words. `retrained_since`
    is the version of the link if the model's weights changed after it.
    """

    lab: Lab
    template: str
    state: LabState
    displayed: LabState
    layout: str
    result: object
    explanation: Explanation | None
    comparison: Comparison | None
    two_views: TwoViews | None
    retrained_since: str | None

    @property
    def controls_template(self) -> str:
        """The template of the lab's own controls, which not every lab has."""
        return self.template.replace(".html", "-controls.html")

    @property
    def shows_row(self) -> bool:
        """Whether the lab itself shows the row figure, so that no panel has to."""
        return self.lab.shows_row

    @property
    def hides_query_rows(self) -> bool:
        """Whether what the chosen word reads would answer the question, and is left out."""
        return self.lab.hides_query_rows(self.displayed)

    @cached_property
    def hidden_rows(self) -> Collection[int]:
        """The rows that the map of the chosen head leaves out."""
        return self.lab.hidden_rows(self.displayed).get(self.displayed.head, ())

    @property
    def chosen_figure(self) -> HeadFigure:
        """The chosen head of the displayed view."""
        return layer_figures(self.displayed)[self.displayed.head]

    @property
    def row_figure(self) -> RowFigure:
        """The row of the chosen word in the chosen head."""
        return row_figure(self.displayed)

    @property
    def weight_table(self) -> WeightTable:
        """Every number of the chosen head that the page shows."""
        return weight_table(self.displayed, self.hidden_rows)

    @property
    def has_split_words(self) -> bool:
        return any(word.is_split for word in self.state.sentence.words)

    @property
    def has_unknown_tokens(self) -> bool:
        return not all(token.known for token in self.state.sentence.tokens)

    @property
    def head_thumbnails(self) -> tuple[tuple[HeadThumbnail, ...], ...]:
        """Small maps of every head of every layer, without what would answer the question."""
        layers = range(self.displayed.model.card.n_layers)
        hidden_rows = [self.lab.hidden_rows(self.displayed.at_layer(layer)) for layer in layers]
        return head_thumbnails(self.displayed, hidden_rows)


@dataclass(frozen=True)
class PredictionContext:
    """The question of the step on this view; `given` is the learner's answer.

    `key` is the same for views with the same question, so that a browser can bring an answer back.
    `labels` are the texts of the choices by id, `placeholders` what the author's texts have in
    braces. Before the answer is revealed, `answer` is None and there are no `reasons`.
    """

    key: str
    question: Question
    labels: Mapping[str, str]
    placeholders: dict[str, str]
    given: str | None
    answer: Answer | None
    reasons: Sequence[tuple[str, dict[str, str]]]

    @property
    def is_right(self) -> bool:
        return self.answer is not None and self.given in self.answer.right


@dataclass(frozen=True)
class ShareContext:
    """Links and files of the view; `query` is escaped.

    `oembed_url` and `iframe` are None where labs cannot be embedded.
    """

    query: Markup
    query_with_default_sentence: str | None
    version: str | None
    oembed_url: str | None
    iframe: str | None


@dataclass(frozen=True)
class AssignmentContext:
    """The assignment that the page's URL names; `is_invalid` if its token cannot be verified."""

    is_invalid: bool
    is_signed: bool
    note: str
    fixed: tuple[str, ...]


@dataclass(frozen=True)
class StepContext:
    """The context of a step's templates.

    `lab` and `prediction` are None for a refused request; `assignment` is None without one.
    `is_partial`: the response is a fragment that htmx swaps in.
    """

    lesson: Lesson
    step: Step
    view: ViewState
    is_partial: bool
    is_embedded: bool
    is_playground: bool
    navigation: NavigationContext
    form: FormContext
    lab: LabContext | None
    prediction: PredictionContext | None
    prose: ProseContext
    share: ShareContext
    assignment: AssignmentContext | None


def step_context(
    requested: RequestedView, app_context: AppContext, origin: str, *, is_partial: bool = False
) -> StepContext:
    """Compute the lab and the prediction, and return all that the templates show.

    `origin` is the server's scheme and host, for links that others follow.
    """
    lab = None if requested.is_refused else _lab_context(requested)
    return StepContext(
        lesson=requested.lesson,
        step=requested.step,
        view=requested.view,
        is_partial=is_partial,
        is_embedded=requested.is_embedded,
        is_playground=requested.is_playground,
        navigation=_navigation_context(requested),
        form=_form_context(requested, app_context, lab),
        lab=lab,
        prediction=None if requested.is_refused else _prediction_context(requested),
        prose=prose_context(requested),
        share=_share_context(requested, origin, may_be_embedded=app_context.may_be_embedded),
        assignment=_assignment_context(requested, is_signed=app_context.signer.is_enabled),
    )


def _navigation_context(requested: RequestedView) -> NavigationContext:
    lesson, step = requested.lesson, requested.step
    previous_step, next_step = lesson.before(step), lesson.after(step)
    urls = {
        each.slug: f"{path_of(lesson, each)}{requested.query_for(each)}" for each in lesson.steps
    }
    return NavigationContext(
        path=escape(requested.links.path),
        step_urls=urls,
        previous_step=previous_step,
        next_step=next_step,
        previous_url=urls[previous_step.slug] if previous_step else None,
        next_url=urls[next_step.slug] if next_step else None,
        end_path=f"/{lesson.slug}/{END_SLUG}" if lesson.config.end else None,
        new_tab=NEW_TAB if requested.is_embedded else "",
    )


def _form_context(
    requested: RequestedView, app_context: AppContext, lab: LabContext | None
) -> FormContext:
    parsed, view, layouts = requested.parsed, requested.view, requested.lab.layouts
    task = requested.assignment.token
    kept_fields = {ASSIGNMENT_PARAM: task} if task else {}
    if requested.is_embedded:
        kept_fields[EMBED_PARAM] = "1"
    if requested.is_playground:
        kept_fields[PLAYGROUND_PARAM] = "1"
    kept_fields |= requested.version.params
    return FormContext(
        typed_text=parsed.typed_text,
        hidden_fields=hidden_fields(view, kept_fields, has_lab=lab is not None),
        previous_selection=previous_selection(parsed),
        previous_controls=previous_controls(view),
        problems=first_problems(parsed.problems) if requested.is_refused else (),
        nearest_valid_url=requested.links.nearest_valid_url,
        model_choices=app_context.model_choices[view.model_id],
        all_models=app_context.models.ids,
        layouts=layouts,
        layout=lab.layout if lab else view.controls.layout or layouts[0],
        has_layer_menu=view.card.n_layers > MAX_LAYER_BUTTONS,
        fixed=requested.assignment.fixed,
    )


def _lab_context(requested: RequestedView) -> LabContext:
    lab, state, version = requested.lab, requested.lab_state, requested.version
    displayed, cell = state.displayed, state.controls.cell
    hidden_rows = lab.hidden_rows(displayed).get(displayed.head, ())
    return LabContext(
        lab=lab,
        template=f"labs/{requested.step.config.lab.name}.html",
        state=state,
        displayed=displayed,
        layout=lab.layout_for(state),
        result=lab.run(state),
        explanation=None if cell and cell[0] in hidden_rows else explain(displayed),
        two_views=two_views(state) if state.is_revealed else None,
        comparison=None if _comparison_answers(lab, state) else compare(state),
        retrained_since=version.version if version.weights_differ(state.model) else None,
    )


def _comparison_answers(lab: Lab, state: LabState) -> bool:
    """Return whether the difference of the two compared heads would show hidden rows."""
    if state.controls.minus is None:
        return False
    other = state.for_model(state.models[state.controls.minus[0]])
    return bool(lab.hidden_rows(state) or (other and lab.hidden_rows(other)))


def _prediction_context(requested: RequestedView) -> PredictionContext:
    prediction, given = requested.prediction, requested.view.predict
    if not requested.is_revealed:
        placeholders = prediction.question_placeholders(None)
        return PredictionContext(
            prediction.key, prediction.question, prediction.labels, placeholders, None, None, ()
        )
    return PredictionContext(
        prediction.key,
        prediction.question,
        prediction.labels,
        prediction.answer_placeholders(given),
        given,
        prediction.answer,
        prediction.reasons(given),
    )


def _share_context(requested: RequestedView, origin: str, *, may_be_embedded: bool) -> ShareContext:
    links = requested.links
    path_and_query = f"{links.path}?{links.query}"
    oembed_url = iframe = None
    if may_be_embedded:
        oembed_url = oembed_discovery_url(origin, path_and_query)
        embed_url = f"{origin}{path_and_query}&{EMBED_PARAM}=1"
        iframe = iframe_html(embed_url, requested.step.config.title)
    return ShareContext(
        query=escape(links.query),
        query_with_default_sentence=links.query_with_default_sentence,
        version=requested.version.version,
        oembed_url=oembed_url,
        iframe=iframe,
    )


def _assignment_context(requested: RequestedView, *, is_signed: bool) -> AssignmentContext | None:
    requested_assignment = requested.assignment
    assignment = requested_assignment.assignment
    if assignment:
        return AssignmentContext(False, is_signed, assignment.note, assignment.fixed)
    if requested_assignment.is_invalid:
        return AssignmentContext(True, is_signed, "", ())
    return None

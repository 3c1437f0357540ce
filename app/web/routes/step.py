"""One request for one step: the whole page or the lab's fragment, by one set of templates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from urllib.parse import urlencode

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.exports.figure import PNG_SCALES
from app.exports.formats import FORMATS
from app.lesson import (
    PREDICTIONS,
    AnswerChoice,
    Lab,
    LabState,
    Lesson,
    PredictionInput,
    PredictionResult,
    PredictionType,
    Selection,
    Step,
    compare,
    explain,
)
from app.lesson.labs.compare import Comparison
from app.lesson.labs.explain import Explanation
from app.lesson.labs.head_figure import small_maps
from app.lesson.loader import END_SLUG
from app.lesson.markdown import fill_text
from app.models import Model
from app.web.context import AppContext, path_of
from app.web.htmx import VARY_ALL_HTMX_HEADERS, VARY_REQUEST_TYPE, htmx_details
from app.web.middleware.security_headers import EMBEDDABLE_HEADER
from app.web.rendering.templates import origin_of
from app.web.routes.oembed import iframe_html, oembed_discovery_url
from app.web.state.assignments import ASSIGNMENT_PARAM, RequestedAssignment
from app.web.state.query_params import first_problems
from app.web.state.view import (
    VERSION_PARAM,
    ParsedView,
    StepOptions,
    ViewState,
    canonical_query,
    normalise_form,
    parse_view,
    resolve_version,
)

EDIT_FLAG = "edit"
"""Sent by the lab's form: what no longer fits the new sentence or model is put right without
complaint, and the answer is the address of the view that came out."""


NOT_ADJUSTABLE = ("text", "model", VERSION_PARAM)
"""What is told even if it is fixed: a page that shows another sentence or model would mislead."""

DISABLED = Markup(" disabled")
NEW_TAB = Markup(' target="_blank" rel="noopener"')
"""In a link that would take an embedded lab's frame away: it opens beside it."""

DATA_FILES = tuple(
    (name, kind.label) for name, kind in FORMATS.items() if not name.endswith((".svg", ".png"))
)
"""What a page offers beside pictures: name and label of each."""


@dataclass(frozen=True)
class ComputedView:
    """All that a page shows of a view: `own` is of the sentence as it was typed."""

    lab_state: LabState
    lab: object
    explanation: Explanation | None
    comparison: Comparison | None
    prediction: PredictionResult
    answer_labels: Mapping[str, str]


class StepRequest:
    """One request for one step."""

    def __init__(
        self,
        app_context: AppContext,
        lesson: Lesson,
        step: Step,
        request: Request,
        query: dict[str, str] | None = None,
    ) -> None:
        """`query` is that of the request unless another is given."""
        self.app_context = app_context
        self.lesson = lesson
        self.step = step
        self.path = path_of(lesson, step)
        self.request = request
        self.htmx_details = htmx_details(request)
        self._cached_prediction: tuple[PredictionInput, PredictionResult] | None = None
        query = dict(request.query_params) if query is None else query
        self.requested_assignment = RequestedAssignment(
            query.get(ASSIGNMENT_PARAM, ""), self.path, app_context.signer
        )
        self.query = self.requested_assignment.apply_fixed(query)
        # By the address alone: no assignment says these.
        self.is_edit = EDIT_FLAG in query
        self.is_embedded = query.get("embed") == "1"
        self.pinned_version = resolve_version(self.query, lesson, step)
        self.parsed = self._parse()

    def _parse(self) -> ParsedView:
        query = self.query
        if self.is_edit:
            query = self.requested_assignment.apply_fixed(self._normalise_form(query))
        parsed = parse_view(
            query,
            self.pinned_version,
            self.app_context.models,
            StepOptions(
                prediction_ids=lambda selection: self._prediction_result(selection).choice_ids,
                check_ids=[option.id for option in self.step.config.check.options],
                controls=self.lab.controls,
                layouts=self.lab.layouts,
            ),
        )
        return self._drop_fixed_problems(parsed)

    def _drop_fixed_problems(self, parsed: ParsedView) -> ParsedView:
        """What is fixed bends without complaint to what was chosen beside it, as in an edit."""
        adjustable = {
            name for name in self.requested_assignment.fixed if name not in NOT_ADJUSTABLE
        }
        remaining = tuple(problem for problem in parsed.problems if problem.name not in adjustable)
        return replace(parsed, problems=remaining)

    def _normalise_form(self, form: Mapping[str, str]) -> dict[str, str]:
        """What the form sends, as an address would say it: see `settled`."""
        registry, fixed_model_id = self.app_context.models, self.step.config.predict.model
        default_model = registry[self.pinned_version.defaults.model]
        previous_model, current_model = (
            registry[form[name]] if form.get(name) in registry else default_model
            for name in ("was_model", "model")
        )
        depends_on, predicted_model = (
            self.prediction_type.depends_on,
            registry.model_for_prediction(fixed_model_id, current_model),
        )
        if registry.model_for_prediction(fixed_model_id, previous_model) is not predicted_model:
            depends_on = (*depends_on, "model")
        query = normalise_form(
            form, None if predicted_model is current_model else predicted_model.card.id, depends_on
        )
        if not previous_model.tokenizer.same_tokens_as(current_model.tokenizer):
            # A cell is counted in tokens.
            query.pop("cell", None)
        return query

    @property
    def lab(self) -> Lab:
        return self.app_context.lab_of(self.step)

    @property
    def prediction_type(self) -> PredictionType:
        return PREDICTIONS[self.step.config.predict.computed_by]

    def predicted_model(self, selection: Selection) -> Model:
        """The model that the prediction is about."""
        models = self.app_context.models
        return models.model_for_prediction(self.step.config.predict.model, selection.model)

    def _prediction_result(self, selection: Selection) -> PredictionResult:
        """The view's truth, computed once for as long as nothing that it is about changes."""
        model = self.predicted_model(selection)
        options = self.step.config.predict.options
        prediction_input = PredictionInput(selection.with_model(model), options)
        if self._cached_prediction is None or self._cached_prediction[0] != prediction_input:
            self._cached_prediction = (
                prediction_input,
                self.prediction_type.compute(prediction_input),
            )
        return self._cached_prediction[1]

    @property
    def is_invalid(self) -> bool:
        """In an edit only the sentence itself can be beyond help."""
        return bool(self.parsed.text_problem if self.is_edit else self.parsed.problems)

    @property
    def url(self) -> str:
        """This view's own address; with a refused sentence in it, so that it survives a reload."""
        params = self.parsed.view.query_params() | {"text": self.parsed.typed_text}
        return self._url(self._canonical_query_of(params))

    @property
    def nearest_valid_url(self) -> str:
        """The address of the nearest view that works, where this one does not."""
        return self._url(self.canonical_query)

    def _url(self, query: str) -> str:
        """That of a view, in the assignment and the frame that this page is in."""
        embed_suffix = "&embed=1" if self.is_embedded else ""
        return f"{self.path}?{query}{self.requested_assignment.query_suffix}{embed_suffix}"

    @cached_property
    def canonical_query(self) -> str:
        return self._canonical_query_of(self.parsed.view.query_params())

    def _canonical_query_of(self, params: Mapping[str, str]) -> str:
        version = self.pinned_version
        card = self.parsed.view.model.card
        return canonical_query(params, version.defaults, card, version.version)

    @property
    def explicit_query(self) -> str:
        """The view with nothing left unsaid, and the version that it is of: what is the step's own
        value now stays that value beside whatever else is chosen.
        """
        version = (
            {VERSION_PARAM: self.pinned_version.version} if self.pinned_version.version else {}
        )
        return urlencode(self.parsed.view.query_params() | version)

    def response(self) -> Response:
        if self.is_edit and not self.is_invalid and not self.htmx_details.is_partial:
            return RedirectResponse(self.url, 303, {"Vary": VARY_REQUEST_TYPE})
        page_template = "embed.html" if self.is_embedded else "step.html"
        template = "fragment.html" if self.htmx_details.is_partial else page_template
        status = 422 if self.is_invalid else 200
        vary = VARY_ALL_HTMX_HEADERS if self.htmx_details.is_partial else VARY_REQUEST_TYPE
        headers = {"Vary": vary} | self.htmx_details.history_headers(self.url)
        if template == "embed.html":
            headers[EMBEDDABLE_HEADER] = "1"
        return self.app_context.templates.response(
            self.request, template, self.context(), status=status, headers=headers
        )

    def context(self) -> dict[str, object]:
        parsed, view = self.parsed, self.parsed.view
        computed_context = {} if self.is_invalid else self._computed_context()
        return {
            "lesson": self.lesson,
            "step": self.step,
            # Escaped once: they stand in a fragment twenty times.
            "path": escape(self.path),
            "path_of": path_of,
            "travels": self._carry_over_query(view),
            "next": self.lesson.after(self.step),
            "end_path": f"/{self.lesson.slug}/{END_SLUG}" if self.lesson.config.end else None,
            "partial": self.htmx_details.is_partial,
            "typed": parsed.typed_text,
            "view": view,
            "model": view.model.card,
            "beside": self.app_context.choices_for(view.model),
            "problems": first_problems(parsed.problems) if self.is_invalid else (),
            "remedy": self.nearest_valid_url,
            **self._link_context(view),
            "lab_template": f"labs/{self.step.config.lab.name}.html",
            "shows": self.lab.layouts,
            "show": view.controls.layout or self.lab.layouts[0],
            "lab": None,
            "explained": None,
            "compared": None,
            "prediction": None,
            **computed_context,
        }

    def compute_view(self) -> ComputedView:
        """All that is computed of the view, once it can be shown."""
        lab_state = self.lab_state()
        prediction = self._prediction_result(self.parsed.view.selection)
        answer_labels = {choice.id: self._answer_label(choice) for choice in prediction.choices}
        lab = self.lab.run(lab_state)
        return ComputedView(
            lab_state,
            lab,
            explain(lab_state.displayed),
            compare(lab_state),
            prediction,
            answer_labels,
        )

    def _computed_context(self) -> dict[str, object]:
        sentence, computed = self.parsed.view.sentence, self.compute_view()
        return {
            "words": sentence.words,
            "chips": computed.lab_state.words,
            "tokens": sentence.tokens,
            "drawn": computed.lab_state.displayed,
            "drawn_words": computed.lab_state.displayed_word_ids,
            "show": self.lab.layout_for(computed.lab_state),
            "small_maps": partial(small_maps, computed.lab_state.displayed),
            "has_unknown": not all(token.known for token in sentence.tokens),
            "lab": computed.lab,
            "explained": computed.explanation,
            "compared": computed.comparison,
            "prediction": computed.prediction,
            "labels": computed.answer_labels,
            "values": self._placeholder_values(computed.prediction, computed.answer_labels),
        }

    def _link_context(self, view: ViewState) -> dict[str, object]:
        """What a page says of links to this view, and what the link that it came by says."""
        return {
            "link": escape(self.canonical_query),
            "nameless": self._query_without_sentence(view),
            "version": self.pinned_version.version,
            "has_changed": self.pinned_version.weights_differ(self.parsed.view.model),
            "task": self.requested_assignment.token,
            "task_changed": self.requested_assignment.is_invalid,
            "task_signed": self.app_context.signer.is_enabled,
            "assignment": self.requested_assignment.assignment,
            "fixed": lambda name: DISABLED if name in self.requested_assignment.fixed else "",
            "fixed_names": self.requested_assignment.fixed,
            "is_embedded": self.is_embedded,
            "away": NEW_TAB if self.is_embedded else "",
            **self._embed_context(),
            "files": DATA_FILES,
            "scales": PNG_SCALES,
        }

    def _embed_context(self) -> dict[str, object]:
        """How others put this lab into a page of theirs; nothing where none may."""
        if not self.app_context.may_be_embedded:
            return {"oembed": None, "frame": None}
        path_and_query = f"{self.path}?{self.canonical_query}"
        embed_url = f"{origin_of(self.request)}{path_and_query}&embed=1"
        return {
            "oembed": oembed_discovery_url(self.request, path_and_query),
            "frame": iframe_html(embed_url, self.step.config.title),
        }

    def _query_without_sentence(self, view: ViewState) -> str | None:
        """The same view's link on the step's own sentence, None if that is the one shown."""
        defaults = self.pinned_version.defaults
        if view.text == defaults.text:
            return None
        controls = replace(view.controls, cell=None)
        params = view.replace(controls=controls, predict=None).query_params()
        return self._canonical_query_of(
            params | {"text": defaults.text, "word": str(defaults.word)}
        )

    def lab_state(self) -> LabState:
        view, options = self.parsed.view, self.step.config.lab.options
        return LabState(view.selection, self.app_context.models, options, view.controls)

    def _carry_over_query(self, view: ViewState) -> str:
        """What a link to another step takes along: a sentence of one's own, with the model that
        read it; so a model that is not the step's own.
        """
        defaults = self.step.config.defaults
        if view.text != defaults.text:
            carried = {"text": view.text, "model": view.model_id}
        else:
            carried = {} if view.model_id == defaults.model else {"model": view.model_id}
        return f"?{urlencode(carried)}" if carried else ""

    def _answer_label(self, choice: AnswerChoice) -> str:
        """What stands on the button of an answer."""
        predict = self.step.config.predict
        if choice.id in predict.labels:
            return predict.labels[choice.id]
        return fill_text(predict.choice, choice.values)

    def _placeholder_values(
        self, prediction: PredictionResult, answer_labels: Mapping[str, str]
    ) -> dict[str, str]:
        """What the author's sentences about the prediction may name."""
        view = self.parsed.view
        words = view.sentence.words
        card = self.predicted_model(view.selection).card
        return {
            "word": words[view.word].text,
            "layer": str(view.layer),
            "head": str(min(view.head, card.n_heads - 1)),
            "model": card.id,
            "n_heads": str(card.n_heads),
            "d_model": str(card.d_model),
            "n_words": str(len(words)),
            "n_tokens": str(len(view.sentence.tokens)),
            "answer": " or ".join(answer_labels[answer] for answer in prediction.answers),
            "guess": answer_labels.get(view.predict or "", ""),
            **prediction.values,
        }

"""One request for one step: the whole page or the lab's fragment, by one set of templates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from urllib.parse import urlencode

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.lesson import (
    PREDICTIONS,
    AnswerChoice,
    Lab,
    LabState,
    Lesson,
    PredictionInput,
    PredictionResult,
    PredictionType,
    Step,
    compare,
    explain,
)
from app.lesson.labs.compare import Comparison
from app.lesson.labs.explain import Explanation
from app.lesson.labs.head_figure import small_maps
from app.lesson.loader import END_SLUG
from app.lesson.markdown import fill_text
from app.models import Model, Sentence
from app.web.context import Site, path_of
from app.web.exports import KINDS, SCALES
from app.web.htmx import VARY, VARY_WITH_ADDRESS, htmx_of
from app.web.middleware.security_headers import FRAMED
from app.web.rendering.templates import origin_of
from app.web.routes.oembed import discovery, frame
from app.web.state.assignments import TASK, Task
from app.web.state.query_params import told
from app.web.state.view import VERSION, Allowed, Reading, View, link, pinned, read_view, settled

EDIT = "edit"
"""Sent by the lab's form: what no longer fits the new sentence or model is put right without
complaint, and the answer is the address of the view that came out."""


UNBENDING = ("text", "model", VERSION)
"""What is told even if it is fixed: a page that shows another sentence or model would mislead."""

DISABLED = Markup(" disabled")
AWAY = Markup(' target="_blank" rel="noopener"')
"""In a link that would take an embedded lab's frame away: it opens beside it."""

FILES = tuple(
    (name, kind.label) for name, kind in KINDS.items() if not name.endswith((".svg", ".png"))
)
"""What a page offers beside pictures: name and label of each."""


@dataclass(frozen=True)
class Shown:
    """All that a page shows of a view: `own` is of the sentence as it was typed."""

    own: LabState
    lab: object
    explained: Explanation | None
    compared: Comparison | None
    truth: PredictionResult
    labels: Mapping[str, str]


class StepPage:
    """One request for one step."""

    def __init__(
        self,
        site: Site,
        lesson: Lesson,
        step: Step,
        request: Request,
        query: dict[str, str] | None = None,
    ) -> None:
        """`query` is that of the request unless another is given."""
        self.site = site
        self.lesson = lesson
        self.step = step
        self.path = path_of(lesson, step)
        self.request = request
        self.htmx = htmx_of(request)
        self._known: tuple[PredictionInput, PredictionResult] | None = None
        query = dict(request.query_params) if query is None else query
        self.task = Task(query.get(TASK, ""), self.path, site.signer)
        self.query = self.task.enforced(query)
        # By the address alone: no assignment says these.
        self.is_edit = EDIT in query
        self.is_embedded = query.get("embed") == "1"
        self.pin = pinned(self.query, lesson, step)
        self.reading = self._reading()

    def _reading(self) -> Reading:
        query = self.query
        if self.is_edit:
            query = self.task.enforced(self._settled(query))
        reading = read_view(
            query,
            self.pin,
            self.site.models,
            Allowed(
                predictions=lambda sentence, view: self._truth(sentence, view).choice_ids,
                checks=[option.id for option in self.step.facts.check.options],
                controls=self.lab.controls,
                shows=self.lab.layouts,
            ),
        )
        return self._fitted(reading)

    def _fitted(self, reading: Reading) -> Reading:
        """What is fixed bends without complaint to what was chosen beside it, as in an edit."""
        bends = {name for name in self.task.fixed if name not in UNBENDING}
        stands = tuple(problem for problem in reading.problems if problem.name not in bends)
        return replace(reading, problems=stands)

    def _settled(self, form: Mapping[str, str]) -> dict[str, str]:
        """What the form sends, as an address would say it: see `settled`."""
        models, named = self.site.models, self.step.facts.predict.model
        usual = models[self.pin.defaults.model]
        was, now = (
            models[form[name]] if form.get(name) in models else usual
            for name in ("was_model", "model")
        )
        about, asked = self.question.depends_on, models.asked(named, now)
        if models.asked(named, was) is not asked:
            about = (*about, "model")
        query = settled(form, None if asked is now else asked.card.id, about)
        if not was.tokenizer.reads_like(now.tokenizer):
            # A cell is counted in tokens.
            query.pop("cell", None)
        return query

    @property
    def lab(self) -> Lab:
        return self.site.lab_of(self.step)

    @property
    def question(self) -> PredictionType:
        return PREDICTIONS[self.step.facts.predict.computed_by]

    def predicted(self, view: View) -> Model:
        """The model that the prediction is about."""
        models = self.site.models
        return models.asked(self.step.facts.predict.model, models[view.model])

    def _truth(self, sentence: Sentence, view: View) -> PredictionResult:
        """The view's truth, computed once for as long as nothing that it is about changes."""
        model = self.predicted(view)
        head = min(view.head, model.card.n_heads - 1)
        options = self.step.facts.predict.options
        asked = PredictionInput(sentence, model, view.layer, head, view.word, options)
        if self._known is None or self._known[0] != asked:
            self._known = asked, self.question.compute(asked)
        return self._known[1]

    @property
    def is_refused(self) -> bool:
        """In an edit only the sentence itself can be beyond help."""
        return bool(self.reading.text_problem if self.is_edit else self.reading.problems)

    @property
    def address(self) -> str:
        """This view's own address; with a refused sentence in it, so that it survives a reload."""
        view, typed = self.reading.view, self.reading.typed
        return self._address(
            self.own_link if typed == view.text else self.link(view.but(text=typed))
        )

    @property
    def remedy(self) -> str:
        """The address of the nearest view that works, where this one does not."""
        return self._address(self.own_link)

    def _address(self, link: str) -> str:
        """That of a view, in the assignment and the frame that this page is in."""
        embedded = "&embed=1" if self.is_embedded else ""
        return f"{self.path}?{link}{self.task.in_address}{embedded}"

    @cached_property
    def own_link(self) -> str:
        return self.link(self.reading.view)

    def link(self, view: View) -> str:
        return link(view, self.pin.defaults, self.site.models, self.pin.version)

    @property
    def whole_link(self) -> str:
        """The view with nothing left unsaid, and the version that it is of: what is the step's own
        value now stays that value beside whatever else is chosen.
        """
        version = {VERSION: self.pin.version} if self.pin.version else {}
        return urlencode(self.reading.view.values() | version)

    def response(self) -> Response:
        if self.is_edit and not self.is_refused and not self.htmx.partial:
            return RedirectResponse(self.address, 303, {"Vary": VARY})
        whole = "embed.html" if self.is_embedded else "step.html"
        template = "fragment.html" if self.htmx.partial else whole
        status = 422 if self.is_refused else 200
        vary = VARY_WITH_ADDRESS if self.htmx.partial else VARY
        headers = {"Vary": vary} | self.htmx.address_headers(self.address)
        if template == "embed.html":
            headers[FRAMED] = "1"
        return self.site.pages.response(
            self.request, template, self.context(), status=status, headers=headers
        )

    def context(self) -> dict[str, object]:
        reading, view = self.reading, self.reading.view
        shown = {} if self.is_refused else self._shown_context()
        return {
            "lesson": self.lesson,
            "step": self.step,
            "facts": self.step.facts,
            # Escaped once: they stand in a fragment twenty times.
            "path": escape(self.path),
            "path_of": path_of,
            "travels": self._travels(view),
            "next": self.lesson.after(self.step),
            "end_path": f"/{self.lesson.slug}/{END_SLUG}" if self.lesson.facts.end else None,
            "partial": self.htmx.partial,
            "typed": reading.typed,
            "view": view,
            "model": reading.model.card,
            "beside": self.site.beside(reading.model),
            "problems": told(reading.problems) if self.is_refused else (),
            "remedy": self.remedy,
            **self._link_context(view),
            "lab_template": f"labs/{self.step.facts.lab.name}.html",
            "shows": self.lab.layouts,
            "show": view.controls.layout or self.lab.layouts[0],
            "lab": None,
            "explained": None,
            "compared": None,
            "prediction": None,
            **shown,
        }

    def shown(self) -> Shown:
        """All that is computed of the view, once it can be shown."""
        own = self.lab_view()
        truth = self._truth(self.reading.sentence, self.reading.view)
        labels = {choice.id: self._label(choice) for choice in truth.choices}
        lab = self.lab.run(own)
        return Shown(own, lab, explain(own.displayed), compare(own), truth, labels)

    def _shown_context(self) -> dict[str, object]:
        sentence, shown = self.reading.sentence, self.shown()
        return {
            "words": sentence.words,
            "chips": shown.own.words,
            "tokens": sentence.tokens,
            "drawn": shown.own.displayed,
            "drawn_words": shown.own.displayed_word_ids,
            "show": self.lab.layout_for(shown.own),
            "small_maps": partial(small_maps, shown.own.displayed),
            "has_unknown": not all(token.known for token in sentence.tokens),
            "lab": shown.lab,
            "explained": shown.explained,
            "compared": shown.compared,
            "prediction": shown.truth,
            "labels": shown.labels,
            "values": self._values(shown.truth, shown.labels),
        }

    def _link_context(self, view: View) -> dict[str, object]:
        """What a page says of links to this view, and what the link that it came by says."""
        return {
            "link": escape(self.own_link),
            "nameless": self._without_sentence(view),
            "version": self.pin.version,
            "has_changed": self.pin.changed(self.reading.model),
            "task": self.task.token,
            "task_changed": self.task.is_changed,
            "task_signed": self.site.signer.signs,
            "assignment": self.task.assignment,
            "fixed": lambda name: DISABLED if name in self.task.fixed else "",
            "fixed_names": self.task.fixed,
            "is_embedded": self.is_embedded,
            "away": AWAY if self.is_embedded else "",
            **self._embedding(),
            "files": FILES,
            "scales": SCALES,
        }

    def _embedding(self) -> dict[str, object]:
        """How others put this lab into a page of theirs; nothing where none may."""
        if not self.site.may_be_embedded:
            return {"oembed": None, "frame": None}
        address = f"{self.path}?{self.own_link}"
        framed = f"{origin_of(self.request)}{address}&embed=1"
        return {
            "oembed": discovery(self.request, address),
            "frame": frame(framed, self.step.facts.title),
        }

    def _without_sentence(self, view: View) -> str | None:
        """The same view's link on the step's own sentence, None if that is the one shown."""
        defaults = self.pin.defaults
        if view.text == defaults.text:
            return None
        controls = replace(view.controls, cell=None)
        changes = {"text": defaults.text, "word": defaults.word, "predict": None}
        return self.link(view.but(**changes, controls=controls))

    def lab_view(self) -> LabState:
        reading, view = self.reading, self.reading.view
        return LabState(
            reading.sentence,
            reading.model,
            view.layer,
            view.head,
            view.word,
            self.site.models,
            self.step.facts.lab.options,
            view.controls,
        )

    def _travels(self, view: View) -> str:
        """What a link to another step takes along: a sentence of one's own, with the model that
        read it; so a model that is not the step's own.
        """
        defaults = self.step.facts.defaults
        if view.text != defaults.text:
            chosen = {"text": view.text, "model": view.model}
        else:
            chosen = {} if view.model == defaults.model else {"model": view.model}
        return f"?{urlencode(chosen)}" if chosen else ""

    def _label(self, choice: AnswerChoice) -> str:
        """What stands on the button of an answer."""
        predict = self.step.facts.predict
        if choice.id in predict.labels:
            return predict.labels[choice.id]
        return fill_text(predict.choice, choice.values)

    def _values(self, truth: PredictionResult, labels: Mapping[str, str]) -> dict[str, str]:
        """What the author's sentences about the prediction may name."""
        reading = self.reading
        view, words = reading.view, reading.sentence.words
        card = self.predicted(view).card
        return {
            "word": words[view.word].text,
            "layer": str(view.layer),
            "head": str(min(view.head, card.n_heads - 1)),
            "model": card.id,
            "n_heads": str(card.n_heads),
            "d_model": str(card.d_model),
            "n_words": str(len(words)),
            "n_tokens": str(len(reading.sentence.tokens)),
            "answer": " or ".join(labels[answer] for answer in truth.answers),
            "guess": labels.get(view.predict or "", ""),
            **truth.values,
        }

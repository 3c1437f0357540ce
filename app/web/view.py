"""The view state: what a learner looks at, as an address says it. The one place that knows the
names in the query.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from app.lesson import CONTROLS, Controls, Defaults
from app.models import Model, Registry, Sentence, UnknownModelError, tidy
from app.models.registry import named

_WHOLE_NUMBER = re.compile(r"(-?)([0-9]+)", re.ASCII)
_LONGEST_NUMBER = 9
_PAIR = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_SHOWN_OF_A_VALUE = 60


NO_CONTROLS = Controls()


@dataclass(frozen=True)
class View:
    """One exact view of a step; layers, heads and words count from 0.

    `predict` and `check` are the learner's answers, None while there is none.
    """

    text: str
    model: str
    layer: int
    head: int
    word: int
    controls: Controls = NO_CONTROLS
    predict: str | None = None
    check: str | None = None

    def values(self) -> dict[str, str]:
        """What the address of this view holds, in canonical order; a control that is not used is
        left out.
        """
        always = {name: str(getattr(self, name)) for name in CHOSEN}
        answers = {"predict": self.predict, "check": self.check}
        given = {name: value for name, value in answers.items() if value is not None}
        return always | controls_values(self.controls) | given

    def query(self) -> str:
        return urlencode(self.values())

    def but(self, **changes: object) -> "View":
        return replace(self, **changes)  # type: ignore[arg-type]

    def changed(self, **changes: object) -> str:
        """The address's value of one control after a change: what its button sends."""
        (name,) = changes
        controls = replace(self.controls, **changes)  # type: ignore[arg-type]
        return controls_values(controls).get(name, "")

    def without_or_with(self, layer: int, head: int) -> str:
        """The value of `off` after a press on a head's switch."""
        return self.changed(off=self.controls.off ^ {(layer, head)})


CHOSEN = ("text", "model", "layer", "head", "word")


def controls_values(controls: Controls) -> dict[str, str]:
    """The controls that are used, as an address says them."""
    values = {}
    for field in fields(controls):
        value = getattr(controls, field.name)
        if value == field.default:
            continue
        if isinstance(value, bool):
            values[field.name] = "1"
        elif isinstance(value, frozenset):
            values[field.name] = ",".join(f"{layer}.{head}" for layer, head in sorted(value))
        elif isinstance(value, tuple):
            values[field.name] = ".".join(map(str, value))
        else:
            values[field.name] = str(value)
    return values


@dataclass(frozen=True)
class Problem:
    """A value that cannot be shown: where it stood, in plain words what is allowed, and what the
    nearest view that works would do.
    """

    name: str
    message: str
    allowed: tuple[str, ...] = ()
    remedy: str = "Open the nearest view that works"


@dataclass(frozen=True)
class Reading:
    """What an address asks for. With problems, `view` is the nearest view that works.

    `typed` is the text as it came, whether it can be shown or not.
    """

    typed: str
    view: View
    model: Model
    sentence: Sentence
    problems: tuple[Problem, ...]

    @property
    def text_problem(self) -> Problem | None:
        return next((problem for problem in self.problems if problem.name == "text"), None)


def settled(
    form: Mapping[str, str], predicted_model: str | None, about: Sequence[str]
) -> dict[str, str]:
    """What the lab's form sends, as an address would say it.

    A prediction holds for what of the view it is `about`, which the form sends along as `was_…`;
    of anything else it is dropped. Committing to one chooses the model that it asks, if that is a
    certain one.
    """
    names = (*CHOSEN, *CONTROLS, "predict", "check")
    query = {name: form[name] for name in names if name in form}
    # The field may hold what a view cannot: a tab, say, which `was_text` no longer has.
    now = {**form, "text": tidy(form.get("text", ""))}
    if any(form.get(f"was_{name}") != now.get(name) for name in about):
        query.pop("predict", None)
    elif "commit" in form:
        query["predict"] = form["commit"]
        if predicted_model:
            query["model"] = predicted_model
    return query


@dataclass(frozen=True)
class Allowed:
    """What a step lets an address say: the answers that can be predicted for a view, the options of
    its check, and the controls that its lab has.
    """

    predictions: Callable[[Sentence, View], Sequence[str]]
    checks: Sequence[str]
    controls: Sequence[str] = ()


def read_view(
    query: Mapping[str, str],
    defaults: Defaults,
    models: Registry,
    allowed: Allowed,
) -> Reading:
    """Reads every name of the query, falling back on the step's defaults where one is absent.

    Names that no view has are passed over.
    """
    problems: list[Problem] = []
    typed = tidy(query.get("text", defaults.text))
    model = read_model(query.get("model", defaults.model), models, models[defaults.model], problems)
    sentence = read_sentence(typed, model, problems)
    if sentence is None:
        sentence = model.tokenizer.sentence(defaults.text)
        query = {name: value for name, value in query.items() if name != "word"}
    word = defaults.word if sentence.text == defaults.text else 0
    view = View(
        text=sentence.text,
        model=model.card.id,
        layer=read_index("layer", query, defaults.layer, model.card.n_layers, problems),
        head=read_index("head", query, defaults.head, model.card.n_heads, problems),
        word=read_index("word", query, word, len(sentence.words), problems),
    )
    given = {name: query[name] for name in allowed.controls if query.get(name)}
    view = view.but(controls=read_controls(given, model, sentence, models, problems))
    if "predict" in query:
        choices = allowed.predictions(sentence, view)
        view = view.but(predict=read_choice("predict", query["predict"], choices, problems))
    if "check" in query:
        view = view.but(check=read_choice("check", query["check"], allowed.checks, problems))
    return Reading(typed, view, model, sentence, tuple(problems))


def read_model(name: str, models: Registry, nearest: Model, problems: list[Problem]) -> Model:
    try:
        return models[name]
    except UnknownModelError as error:
        problems.append(
            Problem(
                "model", str(UnknownModelError(_shown(name), error.available)), tuple(models.ids)
            )
        )
        return nearest


def read_sentence(typed: str, model: Model, problems: list[Problem]) -> Sentence | None:
    """The sentence; its beginning if it is too long; None if there is nothing in it."""
    sentence = model.tokenizer.sentence(typed)
    n, most = len(sentence.tokens), model.card.max_tokens
    if not n:
        problems.append(
            Problem(
                "text",
                "There is no word here yet. Type a sentence, and its maps appear.",
                remedy="Go back to the sentence of the lesson",
            )
        )
        return None
    if n > most:
        too_many = "1 token" if n == most + 1 else f"{n - most} tokens"
        problems.append(
            Problem(
                "text",
                f"This is {too_many} too long: it has {n} tokens, and {model.card.id} reads at"
                f" most {most}. Nothing was computed and nothing was lost; shorten it as you like.",
                (f"1 to {most} tokens",),
                f"Keep the first {most} tokens",
            )
        )
        return model.tokenizer.sentence(sentence.start(most))
    return sentence


def read_index(
    name: str, query: Mapping[str, str], default: int, count: int, problems: list[Problem]
) -> int:
    """A whole number below `count`; the nearest one if it is another."""
    last = count - 1
    if name not in query:
        return min(default, last)
    value = query[name]
    number = _whole_number(value)
    if number is not None and 0 <= number <= last:
        return number
    there_is = f"There is only {name} 0" if count == 1 else f"There are {name}s 0 to {last}"
    message = f"There is no {name} “{_shown(value)}” here. {there_is}."
    problems.append(Problem(name, message, tuple(map(str, range(count)))))
    return max(0, min(default if number is None else number, last))


def _whole_number(value: str) -> int | None:
    """None if it is no whole number; of one with too many digits only sign and size are kept."""
    found = _WHOLE_NUMBER.fullmatch(value)
    if found and len(value) > _LONGEST_NUMBER:
        return int(f"{found[1]}{'9' * _LONGEST_NUMBER}")
    return int(value) if found else None


def read_controls(
    given: Mapping[str, str],
    model: Model,
    sentence: Sentence,
    models: Registry,
    problems: list[Problem],
) -> Controls:
    """The controls that an address names; one that makes no sense stays unused."""
    card, n = model.card, len(sentence.tokens)
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name == "off":
            read[name] = read_heads_off(value, card.n_layers, card.n_heads, problems)
        elif name == "groups":
            allowed = [str(g) for g in range(1, card.n_heads + 1) if card.n_heads % g == 0]
            groups = int(read_choice(name, value, allowed, problems) or 0)
            read[name] = 0 if groups == card.n_heads else groups
        elif name == "cell":
            read[name] = read_cell(value, n, problems)
        elif name == "minus":
            read[name] = read_minus(value, models, problems)
        else:
            read[name] = read_choice(name, value, ("0", "1"), problems) == "1"
    return Controls(**read)


def read_minus(value: str, models: Registry, problems: list[Problem]) -> tuple[str, int] | None:
    """A head of any model as "headwise-h1.0"; None if there is none."""
    name, _, head = value.rpartition(".")
    number = _whole_number(head)
    if name in models and number is not None and 0 <= number < models[name].card.n_heads:
        return name, number
    message = (
        f"There is no head “{_shown(value)}” to compare with. Name a model and a head of it, as in"
        f" {models.ids[0]}.0."
    )
    problems.append(Problem("minus", message))
    return None


def read_cell(value: str, n: int, problems: list[Problem]) -> tuple[int, int] | None:
    """A cell as "2.1" (query 2, key 1); None if it is none of an (n, n) map."""
    found = _PAIR.fullmatch(value)
    query, key = map(int, found.groups()) if found else (n, n)
    if query < n and key < n:
        return query, key
    message = (
        f"There is no cell “{_shown(value)}” here. Name a query and a key of 0 to {n - 1},"
        " as in 0.0."
    )
    problems.append(Problem("cell", message))
    return None


def read_heads_off(
    value: str, n_layers: int, n_heads: int, problems: list[Problem]
) -> frozenset[tuple[int, int]]:
    """Heads to switch off, as "0.2" (layer 0, head 2) or "0.2,1.0"; none for empty text."""
    off = set()
    for name in filter(None, value.split(",")):
        found = _PAIR.fullmatch(name)
        layer, head = map(int, found.groups()) if found else (n_layers, n_heads)
        if layer >= n_layers or head >= n_heads:
            message = (
                f"There is no head “{_shown(name)}” to switch off. Name a layer of 0 to"
                f" {n_layers - 1} and a head of 0 to {n_heads - 1}, as in 0.{n_heads - 1}."
            )
            problems.append(Problem("off", message))
            continue
        off.add((layer, head))
    return frozenset(off)


def read_choice(
    name: str, value: str, allowed: Sequence[str], problems: list[Problem]
) -> str | None:
    if value in allowed:
        return value
    message = f"“{_shown(value)}” is none of the values of {name}. There are {named(allowed)}."
    problems.append(Problem(name, message, tuple(allowed)))
    return None


def _shown(value: str) -> str:
    """A value as a message can show it: not too long, and without signs that turn its direction."""
    short = value if len(value) <= _SHOWN_OF_A_VALUE else value[: _SHOWN_OF_A_VALUE - 1] + "…"
    return "".join(sign if sign.isprintable() else "�" for sign in short)

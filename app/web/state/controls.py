"""The controls of labs, as an address says them: each is read and written by one form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.lesson import Controls
from app.lesson.labs.lab_state import QUERY_NAMES
from app.models import Card, Model, Registry, Sentence
from app.web.state.query_params import Problem, pair, quoted, read_choice, whole_number


@dataclass(frozen=True)
class Around:
    """What a control is read against; `shows` are the lab's ways to show heads, `hides` is true if
    maps leave special tokens out.
    """

    model: Model
    sentence: Sentence
    models: Registry
    shows: Sequence[str]
    hides: bool
    problems: list[Problem]


@dataclass(frozen=True)
class Form:
    """How one control is read, and written where it is in use; what makes no sense is read as None
    and stays unused.
    """

    read: Callable[[str, Around], Any]
    write: Callable[[Any], str]


def read_controls(given: Mapping[str, str], around: Around) -> Controls:
    """The controls that an address names."""
    read = {name: FORMS[name].read(value, around) for name, value in given.items()}
    field_names = {query: field for field, query in QUERY_NAMES.items()}
    used = {name: value for name, value in read.items() if value is not None}
    return Controls(**{field_names.get(name, name): value for name, value in used.items()})


def controls_values(controls: Controls) -> dict[str, str]:
    """The controls that are used, as an address says them."""
    return {
        (name := QUERY_NAMES.get(field.name, field.name)): FORMS[name].write(value)
        for field in fields(controls)
        if (value := getattr(controls, field.name)) != field.default
    }


def read_heads_off(value: str, card: Card, problems: list[Problem]) -> frozenset[tuple[int, int]]:
    """Heads to switch off, as "0.2" (layer 0, head 2) or "0.2,1.0"; none for empty text."""
    off = set()
    for name in filter(None, value.split(",")):
        layer, head = pair(name) or (card.n_layers, card.n_heads)
        if layer >= card.n_layers or head >= card.n_heads:
            message = (
                f"There is no head “{quoted(name)}” to switch off. Name a layer of 0 to"
                f" {card.n_layers - 1} and a head of 0 to {card.n_heads - 1}, as in"
                f" 0.{card.n_heads - 1}."
            )
            problems.append(Problem("off", message))
            continue
        off.add((layer, head))
    return frozenset(off)


def _flag(name: str) -> Form:
    def read(value: str, around: Around) -> bool:
        return read_choice(name, value, ("0", "1"), around.problems) == "1"

    return Form(read, lambda _: "1")


def _read_groups(value: str, around: Around) -> int | None:
    n_sets = around.model.card.n_sets
    allowed = [str(groups) for groups in range(1, n_sets + 1) if n_sets % groups == 0]
    chosen = read_choice("groups", value, allowed, around.problems)
    return int(chosen) if chosen and int(chosen) != n_sets else None


def _read_cell(value: str, around: Around) -> tuple[int, int] | None:
    """A cell as "2.1" (query 2, key 1), of the tokens that maps show."""
    n = len(around.sentence.plain if around.hides else around.sentence.tokens)
    query, key = pair(value) or (n, n)
    if query < n and key < n:
        return query, key
    message = (
        f"There is no cell “{quoted(value)}” here. Name a query and a key of 0 to {n - 1},"
        " as in 0.0."
    )
    around.problems.append(Problem("cell", message))
    return None


def _read_minus(value: str, around: Around) -> tuple[str, int] | None:
    """A head of any model that reads the same tokens, as "headwise-h1.0"."""
    name, _, head = value.rpartition(".")
    alike = {each.card.id: each.card for each in around.models.that_read_like(around.model)}
    number = whole_number(head)
    if name in alike and number is not None and 0 <= number < alike[name].n_heads:
        most = alike[name].max_tokens
        if len(around.sentence.tokens) <= most:
            return name, number
        message = f"{name} reads at most {most} tokens, too few for this sentence."
        around.problems.append(Problem("minus", message))
        return None
    message = (
        f"There is no head “{quoted(value)}” to compare with. Name a model that reads the same"
        f" tokens and a head of it, as in {next(iter(alike))}.0."
    )
    around.problems.append(Problem("minus", message))
    return None


def _dotted(pair: tuple[object, object]) -> str:
    return f"{pair[0]}.{pair[1]}"


FORMS = {
    "causal": _flag("causal"),
    "unscaled": _flag("unscaled"),
    "weighted": _flag("weighted"),
    "shuffled": _flag("shuffled"),
    "off": Form(
        lambda value, around: read_heads_off(value, around.model.card, around.problems),
        lambda heads: ",".join(map(_dotted, sorted(heads))),
    ),
    "groups": Form(_read_groups, str),
    "cell": Form(_read_cell, _dotted),
    "minus": Form(_read_minus, _dotted),
    "show": Form(
        lambda value, around: read_choice("show", value, around.shows, around.problems), str
    ),
    "lock": _flag("lock"),
    "hide": _flag("hide"),
}

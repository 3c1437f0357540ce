"""The controls of labs as query parameters; each has a codec that parses and serialises it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.lesson import Controls
from app.lesson.labs.lab_state import PANELS, QUERY_NAMES, STAGES
from app.models import Card, Model, Registry, Sentence, sanitise_text
from app.web.state.query_params import (
    Problem,
    parse_choice,
    parse_index_pair,
    parse_whole_number,
    quote_for_message,
)


@dataclass(frozen=True)
class ControlContext:
    """What controls are parsed against; invalid values are appended to `problems`.

    `layouts` are those of the lab.
    """

    model: Model
    sentence: Sentence
    models: Registry
    layouts: Sequence[str]
    hides_special_tokens: bool
    problems: list[Problem]


@dataclass(frozen=True)
class ControlCodec:
    """How one control is parsed and serialised; an invalid value is parsed as None (not used)."""

    parse: Callable[[str, ControlContext], Any]
    serialise: Callable[[Any], str]


def parse_controls(raw_values: Mapping[str, str], context: ControlContext) -> Controls:
    """Parse the controls of a query, by the names of its parameters."""
    parsed = {name: CODECS[name].parse(value, context) for name, value in raw_values.items()}
    field_names = {query: field for field, query in QUERY_NAMES.items()}
    used = {name: value for name, value in parsed.items() if value is not None}
    return Controls(**{field_names.get(name, name): value for name, value in used.items()})


def serialise_controls(controls: Controls) -> dict[str, str]:
    """Return the query parameters of the controls that differ from their defaults."""
    return {
        (name := QUERY_NAMES.get(field.name, field.name)): CODECS[name].serialise(value)
        for field in fields(controls)
        if (value := getattr(controls, field.name)) != field.default
    }


def implied_panel(controls: Controls) -> str:
    """Return the panel that is open although no parameter names it: what was asked is shown."""
    if controls.cell is not None:
        return "explain"
    return "compare" if controls.minus is not None else ""


def parse_ablated_heads(
    value: str, card: Card, problems: list[Problem]
) -> frozenset[tuple[int, int]]:
    """Parse heads to switch off: "0.2" is layer 0, head 2; "0.2,1.0" are two heads; "" is none."""
    ablated_heads = set()
    for name in filter(None, value.split(",")):
        layer, head = parse_index_pair(name) or (card.n_layers, card.n_heads)
        if layer >= card.n_layers or head >= card.n_heads:
            message = (
                f"There is no head “{quote_for_message(name)}” to switch off. Name a layer of 0 to"
                f" {card.n_layers - 1} and a head of 0 to {card.n_heads - 1}, as in"
                f" 0.{card.n_heads - 1}."
            )
            problems.append(Problem("off", message))
            continue
        ablated_heads.add((layer, head))
    return frozenset(ablated_heads)


def _flag_codec(name: str) -> ControlCodec:
    def parse(value: str, context: ControlContext) -> bool:
        return parse_choice(name, value, ("0", "1"), context.problems) == "1"

    return ControlCodec(parse, lambda _: "1")


def _choice_codec(name: str, choices: Sequence[str]) -> ControlCodec:
    def parse(value: str, context: ControlContext) -> str | None:
        return parse_choice(name, value, choices, context.problems)

    return ControlCodec(parse, str)


def _parse_groups(value: str, context: ControlContext) -> int | None:
    n_kv_heads = context.model.card.n_kv_heads
    allowed = [str(groups) for groups in range(1, n_kv_heads + 1) if n_kv_heads % groups == 0]
    n_groups = parse_choice("groups", value, allowed, context.problems)
    return int(n_groups) if n_groups and int(n_groups) != n_kv_heads else None


def _parse_cell(value: str, context: ControlContext) -> tuple[int, int] | None:
    """Parse a cell: "2.1" is query 2, key 1, counted in the tokens that maps show."""
    n_tokens = len(
        context.sentence.content_indices
        if context.hides_special_tokens
        else context.sentence.tokens
    )
    query, key = parse_index_pair(value) or (n_tokens, n_tokens)
    if query < n_tokens and key < n_tokens:
        return query, key
    message = (
        f"There is no cell “{quote_for_message(value)}” here. Name a query and a key of 0 to"
        f" {n_tokens - 1}, as in 0.0."
    )
    context.problems.append(Problem("cell", message))
    return None


def _parse_minus(value: str, context: ControlContext) -> tuple[str, int] | None:
    """Parse a head of any model with the same tokenizer: "headwise-h1.0"."""
    model_id, _, head = value.rpartition(".")
    compatible_cards = {
        each.card.id: each.card for each in context.models.with_same_tokenizer(context.model)
    }
    head_index = parse_whole_number(head)
    if (
        model_id in compatible_cards
        and head_index is not None
        and 0 <= head_index < compatible_cards[model_id].n_heads
    ):
        max_tokens = compatible_cards[model_id].max_tokens
        if len(context.sentence.tokens) <= max_tokens:
            return model_id, head_index
        message = f"{model_id} reads at most {max_tokens} tokens, too few for this sentence."
        context.problems.append(Problem("minus", message))
        return None
    message = (
        f"There is no head “{quote_for_message(value)}” to compare with. Name a model that reads"
        f" the same tokens and a head of it, as in {next(iter(compatible_cards))}.0."
    )
    context.problems.append(Problem("minus", message))
    return None


def _join_with_dot(indices: tuple[object, object]) -> str:
    return f"{indices[0]}.{indices[1]}"


CODECS = {
    "causal": _flag_codec("causal"),
    "unscaled": _flag_codec("unscaled"),
    "weighted": _flag_codec("weighted"),
    "shuffled": _flag_codec("shuffled"),
    "off": ControlCodec(
        lambda value, context: parse_ablated_heads(value, context.model.card, context.problems),
        lambda heads: ",".join(map(_join_with_dot, sorted(heads))),
    ),
    "groups": ControlCodec(_parse_groups, str),
    "cell": ControlCodec(_parse_cell, _join_with_dot),
    "minus": ControlCodec(_parse_minus, _join_with_dot),
    "show": ControlCodec(
        lambda value, context: parse_choice("show", value, context.layouts, context.problems), str
    ),
    "hide": _flag_codec("hide"),
    "stage": _choice_codec("stage", STAGES),
    "open": _choice_codec("open", PANELS),
    "text2": ControlCodec(lambda value, _: sanitise_text(value), str),
    "model2": ControlCodec(
        lambda value, context: parse_choice("model2", value, context.models.ids, context.problems),
        str,
    ),
}
"""By query parameter."""

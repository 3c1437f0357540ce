"""A checkpoint in a line."""

from app.models.card import Card
from app.models.registry import Model

GUESSES = {"hidden": "hidden words", "next": "the next word", "nothing": "nothing"}


def in_a_line(model: Model) -> str:
    """What was read, and whether its heads were measured."""
    card, evidence = model.card, model.evidence
    told = f"heads measured on {evidence.treebank}" if evidence else "heads not measured"
    return (
        f"{card.id}: {card.family}, {shape(card)}, {card.parameters:,} parameters,"
        f" guesses {GUESSES[card.guesses]}; {told}"
    )


def shape(card: Card) -> str:
    shared = "" if card.n_sets == card.n_heads else f" on {card.n_sets} sets of keys and values"
    return f"{card.n_layers} layers × {card.n_heads} heads{shared}, width {card.d_model}"

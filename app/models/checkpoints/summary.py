"""A checkpoint in a line."""

from app.models.card import Card
from app.models.registry import Model

PREDICTS_TEXT = {"hidden": "hidden words", "next": "the next word", "nothing": "nothing"}


def one_line_summary(model: Model) -> str:
    """What was read, and whether its heads were measured."""
    card, evidence = model.card, model.evidence
    measurement = f"heads measured on {evidence.treebank}" if evidence else "heads not measured"
    return (
        f"{card.id}: {card.architecture}, {describe_shape(card)}, {card.parameters:,} parameters,"
        f" guesses {PREDICTS_TEXT[card.predicts]}; {measurement}"
    )


def describe_shape(card: Card) -> str:
    shared = (
        "" if card.n_kv_heads == card.n_heads else f" on {card.n_kv_heads} sets of keys and values"
    )
    return f"{card.n_layers} layers × {card.n_heads} heads{shared}, width {card.d_model}"

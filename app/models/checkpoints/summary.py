"""One-line description of a checkpoint."""

from app.models.card import Card

PREDICTS_TEXT = {"hidden": "hidden words", "next": "the next word", "nothing": "nothing"}


def one_line_summary(card: Card) -> str:
    """Return the id, architecture, shape, size and objective of a model."""
    return (
        f"{card.id}: {card.architecture}, {describe_shape(card)}, {card.parameters:,} parameters,"
        f" guesses {PREDICTS_TEXT[card.predicts]}"
    )


def describe_shape(card: Card) -> str:
    """Return the numbers of layers, heads and shared key/value heads, and d_model."""
    shared = (
        "" if card.n_kv_heads == card.n_heads else f" on {card.n_kv_heads} sets of keys and values"
    )
    return f"{card.n_layers} layers × {card.n_heads} heads{shared}, width {card.d_model}"

"""HTML of the buttons for words and cells: built in Python, since many small pieces are slow in a
template.
"""

from collections.abc import Sequence

from markupsafe import Markup, escape

from app.lesson import LabState
from app.models import Word


def word_buttons(words: Sequence[Word], chosen: int, disabled: str) -> Markup:
    """Return a button for each word; that of index `chosen` is pressed.

    `disabled` holds the attribute that disables the buttons, or is empty.
    """
    buttons = [
        f'<button id="word-{word.index}"'
        f' class="word-button{" is-special" if word.is_special else ""}"'
        f' name="word" value="{word.index}"{disabled}'
        f' aria-pressed="{"true" if word.index == chosen else "false"}">'
        f"{_word_html(word)}</button>\n"
        for word in words
    ]
    return Markup("".join(buttons))  # noqa: S704


def _word_html(word: Word) -> str:
    """Return the text of a word, with its pieces and unknown tokens marked."""
    if word.is_split:
        return "".join(
            f'<span class="piece{"" if piece.known else " unknown"}">{escape(piece.text)}</span>'
            for piece in word.pieces
        )
    text = escape(word.text)
    return text if word.pieces[0].known else f'<span class="unknown">{text}</span>'


def cell_buttons(lab_state: LabState, row: int, disabled: str) -> Markup:
    """Return a button for each cell of a row of the chosen head's map.

    The button of the explained cell is pressed, and clears the explanation.
    """
    texts = [escape(token.text) for token in lab_state.tokens]
    cell = lab_state.controls.cell
    pressed = cell[1] if cell and cell[0] == row else None
    buttons = [
        f'<button id="cell-{row}-{index}" class="word-button small"'
        f' aria-label="Explain how much {texts[row]} reads {text}" name="cell"'
        f' value="{"" if index == pressed else f"{row}.{index}"}"{disabled}'
        f' aria-pressed="{"true" if index == pressed else "false"}">{text}</button>\n'
        for index, text in enumerate(texts)
    ]
    return Markup("".join(buttons))  # noqa: S704

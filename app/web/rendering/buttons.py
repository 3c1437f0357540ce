"""Words to press on. There are two buttons for each word of a sentence, which are too many small
pieces for a template: they are put together here.
"""

from collections.abc import Sequence

from markupsafe import Markup

from app.lesson import LabState
from app.models import Token, Word
from app.web.rendering.escaping import escaped


def word_buttons(words: Sequence[Word], chosen: int, fixed: str) -> Markup:
    """A button for each word that can ask; those of a `fixed` word are dead."""
    buttons = [
        f'<button id="word-{word.index}"'
        f' class="word-button{" is-special" if word.is_special else ""}"'
        f' name="word" value="{word.index}"{fixed}'
        f' aria-pressed="{"true" if word.index == chosen else "false"}">'
        f"{_word_html(word)}</button>\n"
        for word in words
    ]
    return Markup("".join(buttons))  # noqa: S704


def _word_html(word: Word) -> str:
    """A word that the models know in one piece as it is, others with their pieces marked."""
    if word.is_split:
        return "".join(
            f'<span class="piece{"" if piece.known else " unknown"}">{escaped(piece.text)}</span>'
            for piece in word.pieces
        )
    text = escaped(word.text)
    return text if word.pieces[0].known else f'<span class="unknown">{text}</span>'


def cell_buttons(lab_state: LabState, row: int, fixed: str) -> Markup:
    """A button for each cell in a row of the chosen head's map; the chosen one unchooses it."""
    query_text = escaped(lab_state.tokens[row].text)
    cell = lab_state.controls.cell
    column = cell[1] if cell and cell[0] == row else None
    buttons = [
        f'<button id="cell-{row}-{index}" class="word-button small"'
        f' aria-label="Explain how much {query_text} reads {text}" name="cell"'
        f' value="{"" if index == column else f"{row}.{index}"}"{fixed}'
        f' aria-pressed="{"true" if index == column else "false"}">{text}</button>\n'
        for index, text in enumerate(map(_token_html, lab_state.tokens))
    ]
    return Markup("".join(buttons))  # noqa: S704


def _token_html(token: Token) -> str:
    return escaped(token.text)

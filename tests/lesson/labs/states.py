"""Lab states to run labs on."""

from app.lesson import Controls, LabState
from app.lesson.selection import Selection
from app.picture import Axis, HeatmapLayout, format_signed

TEXT = "She opened the old wooden door"

LAB_OPTIONS = {
    "side-by-side": {"beside": "headwise-h1", "many": "headwise-h8"},
    "sharing": {
        "real_models": [
            {
                "name": "Small",
                "layers": 2,
                "heads": 4,
                "kv_heads": 4,
                "d_head": 8,
                "source": "A paper",
            },
            {
                "name": "Large",
                "layers": 80,
                "heads": 64,
                "kv_heads": 8,
                "d_head": 128,
                "source": "Another paper",
            },
        ]
    },
}
"""The options of those labs that need some."""


def make_state(models, model="headwise-h4", text=TEXT, *, lab="", controls=None, **chosen):
    """Return the state of a view; `chosen` are layer, head and word, `lab` names whose options."""
    sentence = models[model].tokenizer.sentence(text)
    selection = Selection(sentence, models[model], **{"layer": 0, "head": 0, "word": 1} | chosen)
    return LabState(selection, models, LAB_OPTIONS.get(lab, {}), Controls(**controls or {}))


def layout_of(state):
    """The layout of a map of all tokens of the sentence, computed from the sentence alone."""
    tokens = state.sentence.tokens
    rows = [row for row, token in enumerate(tokens) if token.word == state.word]
    words = [token.word for token in tokens]
    return HeatmapLayout(Axis([token.text for token in tokens], words, rows))


def name_of_difference(difference, state, title):
    """What a screen reader calls a map of differences: the largest in size, cell by cell."""
    words = [token.text for token in state.tokens]
    cells = [
        (abs(number), query, key, number)
        for query, row in zip(words, difference.tolist(), strict=True)
        for key, number in zip(words, row, strict=True)
    ]
    _, query, key, number = max(cells, key=lambda cell: cell[0])
    return f"{title}: largest difference where {query} reads {key}, {format_signed(number)}"

"""Lab states to export."""

from app.lesson import Controls, LabState
from app.lesson.selection import Selection

CSS_RULES = ".paper { fill: #fff; }"


def make_lab_state(
    models, model="headwise-h4", text="She opened the old wooden door", head=1, **controls
):
    sentence = models[model].tokenizer.sentence(text)
    selection = Selection(sentence, models[model], 1, head, 0)
    return LabState(selection, models, controls=Controls(**controls))

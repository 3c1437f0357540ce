import numpy as np
import pytest

from app.lesson import LABS, LabView


def lab(models, text="The cat sat down", model="headwise-h4", **chosen):
    chosen = {"layer": 0, "head": 2, "word": 2} | chosen
    sentence = models[model].tokenizer.sentence(text)
    options = {"beside": "headwise-h1"}
    view = LabView(sentence, models[model], **chosen, models=models, options=options)
    return LABS["side-by-side"](view)


@pytest.mark.parametrize(("model", "heads"), [("headwise-h2", 2), ("headwise-h8", 8)])
def test_one_head_stands_beside_several(models, model, heads):
    shown = lab(models, model=model, head=0)
    assert [panel.model.id for panel in shown.panels] == ["headwise-h1", model]
    assert [len(panel.heads) for panel in shown.panels] == [1, heads]


def test_one_head_is_not_shown_beside_itself(models):
    assert len(lab(models, model="headwise-h1", head=0).panels) == 1


def test_only_the_chosen_head_of_the_chosen_model_is_chosen(models):
    chosen = [(p.model.id, f.head) for p in lab(models).panels for f in p.heads if f.chosen]
    assert chosen == [("headwise-h4", 2)]


def test_the_readings_are_the_two_largest_weights_of_the_row(models):
    model = models["headwise-h4"]
    sentence = model.tokenizer.sentence("The cat sat down")
    row = model.read(sentence).weights[0][2, 2]
    first, second = lab(models).panels[1].heads[2].readings
    order = np.argsort(-row)
    assert [first.word, second.word] == [sentence.tokens[k].text for k in order[:2]]
    assert first.weight == pytest.approx(row[order[0]])


def test_a_single_word_reads_itself_alone(models):
    (one, _) = lab(models, text="Stop", word=0, head=0).panels
    (figure,) = one.heads
    assert [(r.word, r.weight) for r in figure.readings] == [("Stop", 1.0)]
    assert figure.mean_entropy == 0

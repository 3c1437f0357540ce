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


def test_the_reading_is_the_largest_weight_of_the_row(models):
    model = models["headwise-h4"]
    sentence = model.tokenizer.sentence("The cat sat down")
    row = model.read(sentence).weights[0][2, 2]
    reading = lab(models).panels[1].heads[2].reading
    assert reading.word == sentence.tokens[int(np.argmax(row))].text
    assert reading.weight == pytest.approx(row.max())
    assert reading.place is None


def test_a_word_that_stands_twice_is_told_with_its_place(models):
    for figure in lab(models, text="cat cat cat", word=0).panels[1].heads:
        assert figure.reading.place in (1, 2, 3)
        assert figure.reading.is_self == (figure.reading.place == 1)


def test_a_single_word_reads_itself_alone(models):
    (one, _) = lab(models, text="Stop", word=0, head=0).panels
    (figure,) = one.heads
    assert (figure.reading.word, figure.reading.weight, figure.reading.is_self) == ("Stop", 1, True)
    assert figure.mean_entropy == 0


@pytest.mark.parametrize(("n", "scrolls"), [(4, False), (14, False), (15, True), (48, True)])
def test_only_maps_of_long_sentences_scroll(models, n, scrolls):
    assert lab(models, text="cat " * n, head=0, word=0).scrolls is scrolls

import pytest

from app.lesson.selection import Selection


@pytest.fixture
def selection(models):
    model = models["headwise-h8"]
    return Selection(model.tokenizer.sentence("The cat sat"), model, 1, 7, 2)


def test_layer_and_head_are_clamped_to_those_of_another_model(models, selection):
    other = selection.with_model(models["headwise-h2"])
    assert (other.model.card.id, other.layer, other.head) == ("headwise-h2", 1, 1)
    assert (other.sentence, other.word) == (selection.sentence, 2)


def test_selections_of_the_same_view_are_equal_whatever_they_have_computed(selection, models):
    again = Selection(selection.sentence, models["headwise-h8"], 1, 7, 2)
    selection.run(last_layer=0)
    assert again == selection


def test_a_pass_is_computed_once_for_all_selections_made_from_one(selection, models):
    other = selection.with_model(models["headwise-h2"])
    assert other.run() is other.with_model(models["headwise-h2"]).run(last_layer=0)
    assert selection.run() is other.with_model(models["headwise-h8"]).run()
    assert selection.run().weights[0].shape == (8, 3, 3)

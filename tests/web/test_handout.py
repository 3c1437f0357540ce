import pytest

from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"


def get_handout(client, step=STEP, **query):
    answer = client.get(f"{step}/handout", params=query)
    assert answer.status_code == 200
    return answer.text


def test_a_handout_has_blanks_and_no_answers(client):
    html = get_handout(client, text="Birds sing at dawn")
    assert html.count("blank-line") >= 3
    assert "← right" not in html
    assert "most, 0." not in html
    assert "Softmax divides" not in html


def test_the_teachers_version_has_the_answers_of_this_sentence(client):
    html = get_handout(client, text="Birds sing at dawn", answers=1)
    assert html.count("← right") == 2
    assert html.count(" most, 0.") == 8
    assert "Softmax divides" in html
    assert "Name:" not in html


def test_the_maps_on_paper_are_those_that_the_prediction_asks_about(client):
    html = get_handout(client, model="headwise-h2")
    assert "in layer 0 of headwise-h8" in html
    assert html.count('<svg class="map') == 8


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("answers", ["0", "1"])
def test_every_step_has_a_handout(client, number, answers):
    step = client.get(f"{LESSON}/{number}").headers["location"]
    html = get_handout(client, step, answers=answers)
    assert f"Step {number} of 7" in html
    assert 'alt="QR code of the link to this view"' in html
    assert "<form" not in html


def test_a_view_that_cannot_be_shown_has_no_handout(client):
    answer = client.get(f"{STEP}/handout", params={"text": "cat " * 60})
    assert answer.status_code == 422
    assert "too long" in answer.text

"""Answers that come back when a step is opened again, and what is brought into view."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON

STEP = f"{LESSON}/rows-ask-columns-answer"
QUERY = "?text=The+old+fox+ran+off"


def answer(page):
    page.locator("#predict .choices button").nth(1).click()
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#check .options button").nth(1).click()
    expect(page.locator("#check [data-outcome]")).to_be_visible()


def chosen(page, part):
    return page.locator(f'{part} button[aria-pressed="true"]').evaluate_all(
        "all => all.map((each) => each.value)"
    )


@pytest.fixture
def answered(page, server):
    """A page on which both questions of a step were answered; gives it with the answers."""
    page.goto(f"{server}{STEP}{QUERY}")
    answer(page)
    return page, chosen(page, "#predict"), chosen(page, "#check")


def test_choices_come_back_when_the_step_is_opened_again(answered, server):
    page, prediction, check = answered
    assert len(prediction) == len(check) == 1
    verdict = page.locator("#verdict").text_content()
    page.goto(f"{server}{STEP}{QUERY}")
    expect(page.locator("#verdict")).to_be_visible()
    assert page.locator("#verdict").text_content() == verdict
    assert (chosen(page, "#predict"), chosen(page, "#check")) == (prediction, check)
    expect(page).to_have_url(re.compile(f"predict={prediction[0]}&check={check[0]}"))


def test_a_restored_choice_neither_scrolls_nor_speaks_nor_adds_to_the_history(answered, server):
    page, *_ = answered
    page.goto(f"{server}{STEP}{QUERY}")
    length = page.evaluate("history.length")
    expect(page.locator("#verdict")).to_be_visible()
    page.wait_for_timeout(100)
    assert page.evaluate("[scrollY, history.length]") == [0, length]
    assert page.locator("#announce").text_content() == ""


@pytest.mark.parametrize(
    "change", ["?text=Birds+sing+at+dawn", f"{QUERY}&word=0", f"{QUERY}&head=0"]
)
def test_a_prediction_about_something_else_does_not_come_back(answered, server, change):
    page, _, check = answered
    page.goto(f"{server}{STEP}{change}")
    expect(page.locator("#check [data-outcome]")).to_be_visible()
    assert chosen(page, "#predict") == []
    assert chosen(page, "#check") == check


def test_an_answer_in_the_address_wins(answered, server):
    page, prediction, _ = answered
    buttons = page.locator("#predict .choices button")
    other = next(
        value
        for value in buttons.evaluate_all("all => all.map((each) => each.value)")
        if value not in prediction
    )
    page.goto(f"{server}{STEP}{QUERY}&predict={other}")
    expect(page.locator("#check [data-outcome]")).to_be_visible()
    assert chosen(page, "#predict") == [other]


def test_nothing_comes_back_in_a_frame(answered, server):
    page, *_ = answered
    page.goto(f"{server}{STEP}{QUERY}&embed=1")
    page.wait_for_load_state("networkidle")
    assert page.locator("#verdict").count() == 0


def test_the_record_keeps_the_first_answer_only(answered, server):
    page, *_ = answered
    outcome = page.locator("#check [data-outcome]").get_attribute("data-outcome")
    for button in range(page.locator("#check .options button").count()):
        page.locator("#check .options button").nth(button).click()
        expect(page.locator("#check .options button").nth(button)).to_have_attribute(
            "aria-pressed", "true"
        )
    page.goto(f"{server}{STEP}{QUERY}")
    expect(page.locator("#check [data-outcome]")).to_be_visible()
    page.goto(f"{server}{LESSON}/end")
    text = {"right": "✓ right", "wrong": "not right"}[outcome]
    check = page.locator('#summary tr[data-step="2"] td').nth(1)
    expect(check).to_have_text(text)


IN_VIEW = """element => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_verdict_is_in_view_after_a_commitment(page, server, size, motion):
    page.emulate_media(reduced_motion=motion)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{server}{STEP}{QUERY}")
    button = page.locator("#predict .choices button").first
    # The question is at the lower edge of the window, so that the verdict starts below it.
    button.evaluate("each => each.scrollIntoView({ block: 'end' })")
    button.click()
    page.locator("#verdict").wait_for()
    page.wait_for_timeout(600)
    assert page.locator("#verdict").evaluate(IN_VIEW)


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
@pytest.mark.parametrize("panel", ["explain", "heads", "compare", "numbers", "files"])
def test_an_opened_panel_is_in_view(page, server, size, panel):
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{server}{STEP}{QUERY}")
    page.locator(f"#open-{panel}").click()
    page.locator("#panel").wait_for()
    page.wait_for_timeout(100)
    top, bottom, height = page.locator("#panel").evaluate(
        """each => {
            const { top, bottom } = each.getBoundingClientRect();
            return [top, bottom, innerHeight];
        }"""
    )
    assert top >= 0
    assert bottom <= height or top < 200

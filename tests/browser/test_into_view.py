"""What links in prose bring into view on a phone, and the way back to the text."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON

SMALL_TROPHY = "The trophy does not fit in the suitcase because it is too small"
SENTENCE_60 = "A very old and quite small brown dog slowly chased the other three cats"


@pytest.fixture
def phone(page):
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    return page


def press(page, selector):
    """Press a link of the prose that is in the middle of the window."""
    link = page.locator(selector).first
    link.evaluate("each => each.closest('details')?.setAttribute('open', '')")
    link.evaluate("each => each.scrollIntoView({ block: 'center' })")
    link.click()
    return link


def acts(parameters):
    return f'a.act[data-act="{parameters}"]'


def expect_in_view(page, selector):
    page.wait_for_function(
        """(selector) => {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            return box && box.top >= 0 && (box.bottom <= innerHeight || box.top < 20);
        }""",
        arg=selector,
    )


def test_a_link_brings_the_map_that_it_changed_into_view_and_leads_back(phone, server):
    phone.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    link = press(phone, acts("causal=1"))
    expect(phone.locator("#causal")).to_have_attribute("aria-pressed", "true")
    expect_in_view(phone, ".lab-body figure.head")
    back = phone.locator(".back-to-text")
    expect(back).to_be_visible()
    back.click()
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    expect(back).to_have_count(0)


def test_a_link_that_asks_anew_brings_the_question_into_view(phone, server):
    phone.goto(f"{server}{LESSON}/measure-before-you-name?text=Birds sing")
    phone.locator("#predict .choices button").first.click()
    expect(phone.locator("#verdict")).to_be_visible()
    press(phone, "a.act[data-act*='text=']")
    expect(phone.locator("#verdict")).to_have_count(0)
    expect_in_view(phone, "#predict")


def test_a_link_brings_the_table_of_two_sentences_into_view(phone, server):
    phone.goto(f"{server}{LESSON}/measure-before-you-name?text={SMALL_TROPHY}&word=9&reveal=1")
    press(phone, "a.act[data-act='layer=1']")
    expect(phone).to_have_url(re.compile("layer=1"))
    expect_in_view(phone, ".pair-table")


def test_a_wide_page_scrolls_only_the_lab(page, server):
    page.set_viewport_size({"width": 1280, "height": 500})
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{server}{LESSON}/measure-before-you-name?text={SMALL_TROPHY}&word=9&reveal=1")
    link = page.locator("a.act[data-act='layer=1']").first
    link.evaluate("each => each.scrollIntoView({ block: 'center' })")
    top = page.evaluate("scrollY")
    link.click()
    expect(page).to_have_url(re.compile("layer=1"))
    page.wait_for_function("() => document.querySelector('.lab').scrollTop > 0")
    assert page.evaluate("scrollY") == top
    expect(page.locator(".back-to-text")).to_have_count(0)


def test_a_pressed_part_stays_lit_in_view_until_the_reader_is_back(phone, server):
    phone.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    link = press(phone, 'a[data-light="keys"]')
    part = phone.locator('[data-part="keys"].is-lit').first
    expect(part).to_be_in_viewport()
    phone.locator("#text").evaluate("each => each.focus({ preventScroll: true })")
    expect(part).to_be_attached()
    phone.locator(".back-to-text").click()
    expect(link).to_be_focused()
    phone.locator("#text").evaluate("each => each.focus({ preventScroll: true })")
    expect(phone.locator('[data-part="keys"].is-lit')).to_have_count(0)


def test_a_second_press_switches_off_what_a_link_switched_on(phone, server):
    phone.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    link = press(phone, acts("causal=1"))
    expect(link).to_have_attribute("aria-current", "true")
    press(phone, acts("causal=1"))
    expect(phone.locator("#causal")).to_have_attribute("aria-pressed", "false")
    expect(link).not_to_have_attribute("aria-current", "true")
    assert "causal" not in phone.url


def test_chosen_buttons_stay_in_view_in_rows_that_scroll(phone, server):
    phone.goto(f"{server}{LESSON}/rows-ask-columns-answer?text={SENTENCE_60}")
    for button in ("#word-13", "#open-files"):
        phone.locator(button).click()
        state = "aria-pressed" if "word" in button else "aria-expanded"
        expect(phone.locator(button)).to_have_attribute(state, "true")
        left, right = phone.locator(button).evaluate(
            "each => [each.getBoundingClientRect().left, each.getBoundingClientRect().right]"
        )
        assert left >= 0
        assert right <= 390


def test_two_heads_pressed_at_once_are_both_switched_off(page, server):
    page.goto(f"{server}{LESSON}/concatenate-then-mix")
    page.evaluate("for (const head of [0, 2, 3]) document.querySelector(`#off-${head}`).click()")
    for head, pressed in enumerate(["false", "true", "false", "false"]):
        expect(page.locator(f"#off-{head}")).to_have_attribute("aria-pressed", pressed)
    expect(page).to_have_url(re.compile("off=0.0(,|%2C)0.2(,|%2C)0.3"))


def test_the_explained_cell_opens_its_explanation_again(page, server):
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer?reveal=1&cell=0.0&open=numbers")
    expect(page.locator("#open-numbers")).to_have_attribute("aria-expanded", "true")
    page.locator("#lab figure[data-head] svg.map").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#open-explain")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#explained")).to_be_in_viewport()

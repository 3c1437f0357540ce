"""Words in prose that act: links that change the lab, parts that light up, definitions."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON, STEP_PATHS


@pytest.fixture
def step_2(page, server):
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    return page


def acting_link(page, parameters):
    return page.locator(f'a.act[data-act="{parameters}"]').first


def query_of(page):
    return dict(parse_qsl(urlsplit(page.url).query))


def test_a_link_in_prose_changes_the_lab_in_place(step_2):
    link = acting_link(step_2, "causal=1")
    top = link.evaluate("each => { each.scrollIntoView({ block: 'center' }); return scrollY; }")
    step_2.evaluate("document.querySelector('h1').dataset.mine = 'yes'")
    link.click()
    expect(step_2.locator("#causal")).to_have_attribute("aria-pressed", "true")
    expect(step_2).to_have_url(re.compile("causal=1"))
    assert step_2.evaluate("document.querySelector('h1').dataset.mine") == "yes"
    assert step_2.evaluate("scrollY") == top
    expect(step_2.locator("#announce")).to_contain_text("Causal mask on.")


def test_a_link_in_prose_keeps_what_was_typed_meanwhile(step_2):
    step_2.locator("#text").fill("Birds sing at dawn")
    acting_link(step_2, "causal=1").click()
    expect(step_2.locator("#causal")).to_have_attribute("aria-pressed", "true")
    expect(step_2.locator("#word-3")).to_have_text("dawn")
    expect(step_2).to_have_url(re.compile(r"text=Birds\+sing\+at\+dawn.*causal=1"))


def test_without_scripts_the_same_link_opens_the_same_view(browser, server, step_2):
    acting_link(step_2, "causal=1").click()
    expect(step_2).to_have_url(re.compile("causal=1"))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    acting_link(page, "causal=1").click()
    assert page.locator("#causal").get_attribute("aria-pressed") == "true"
    assert query_of(page) == query_of(step_2)


def test_a_link_to_another_sentence_chooses_its_word_and_asks_anew(page, server):
    page.goto(f"{server}{LESSON}/measure-before-you-name?text=Birds sing")
    link = page.locator('a.act[data-act*="text="]').first
    page.evaluate("window.stays = true")
    page.locator("#predict .choices button").first.click()
    expect(page.locator("#verdict")).to_be_visible()
    parameters = link.get_attribute("data-act")
    word = re.search(r"word=(\d+)", parameters)[1]
    if not link.is_visible():
        page.locator("details.deeper summary").first.click()
    link.click()
    expect(page.locator(f"#word-{word}")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.stays") is True
    sentence = page.locator("#text").input_value().split()
    assert sentence[:2] == re.search(r"text=(\w+\+\w+)", parameters)[1].split("+")


def lit_parts(page):
    return set(
        page.locator("[data-part].is-lit").evaluate_all(
            "all => all.map((each) => each.dataset.part)"
        )
    )


def test_words_light_their_part_while_pointed_at_or_focused(page, server):
    for path in STEP_PATHS:
        page.goto(f"{server}{path}?open=row")
        link = page.locator("article a[data-light]:visible").first
        if not link.count():
            continue
        part = link.get_attribute("data-light")
        if not page.locator(f'[data-part="{part}"]').count():
            continue
        link.hover()
        assert lit_parts(page) == {part}
        page.locator("h1").hover()
        assert lit_parts(page) == set()
        link.focus()
        assert lit_parts(page) == {part}
        page.locator("#text").focus()
        assert lit_parts(page) == set()
        return
    pytest.fail("no step has words that light a part")


def test_a_term_shows_its_definition_under_the_word(page, server):
    page.goto(f"{server}{LESSON}/same-budget-thinner-heads")
    term = page.locator("a.term:visible").first
    term.scroll_into_view_if_needed()
    place = "[document.documentElement.scrollHeight, scrollY, location.href]"
    before = page.evaluate(place)
    term.click()
    box = page.locator("#definition")
    expect(box).to_be_visible()
    definition = page.locator(f"{term.get_attribute('href')} dd").text_content()
    expect(box).to_have_text(definition.strip())
    assert term.get_attribute("aria-describedby") == "definition"
    assert (
        page.evaluate("[document.documentElement.scrollHeight, scrollY, location.href]") == before
    )
    where, word = box.bounding_box(), term.bounding_box()
    assert where["y"] >= word["y"] + word["height"] - 4
    assert where["y"] - word["y"] < 60
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    assert term.get_attribute("aria-describedby") is None
    expect(term).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    page.keyboard.press("Tab")
    expect(box).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_definition_stays_inside_the_window(page, server, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in STEP_PATHS:
        page.goto(f"{server}{path}")
        terms = page.locator("a.term:visible")
        for index in range(terms.count()):
            terms.nth(index).click()
            box = page.locator("#definition").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            page.keyboard.press("Escape")


def test_without_scripts_a_term_leads_to_its_definition(browser, server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}{LESSON}/same-budget-thinner-heads")
    term = page.locator("a.term:visible").first
    target = term.get_attribute("href")
    term.click()
    expect(page.locator(f"{target} dd")).to_be_visible()

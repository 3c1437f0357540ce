"""What learners do with the lab, in a real browser."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

MAP_SELECTOR = "#lab-view svg.map:not(.row-labels)"
N_MAPS = 5
"""Maps of step 1 before its prediction: one head beside four."""


def words(page):
    return page.locator(".word-row button")


def maps(page):
    return page.locator(MAP_SELECTOR).evaluate_all("all => all.map(each => each.outerHTML)")


def picks(page):
    """The word that each head of step 1 reads most."""
    return page.locator("#lab-view .pick").all_text_contents()


def key_labels(page, which=0):
    return page.locator(MAP_SELECTOR).nth(which).locator(".key").all_text_contents()


def without_scripts(browser):
    context = browser.new_context(java_script_enabled=False)
    return context.new_page()


def test_typing_changes_the_maps_and_the_address_and_keeps_focus(page, step):
    page.goto(step)
    before = maps(page)
    field = page.get_by_label("Your sentence")
    field.fill("Birds sing")
    expect(page.locator(MAP_SELECTOR).first.locator(".key")).to_have_text(["Birds", "sing"])
    assert len(maps(page)) == len(before) == 5
    expect(page).to_have_url(re.compile(r"text=Birds\+sing&"))
    expect(field).to_be_focused()
    expect(field).to_have_value("Birds sing")


def test_typing_replaces_the_address_and_choosing_adds_one(page, step):
    page.goto(step)
    before = page.evaluate("history.length")
    page.get_by_label("Your sentence").fill("Birds sing softly")
    expect(page).to_have_url(re.compile(r"text=Birds\+sing\+softly&"))
    assert page.evaluate("history.length") == before
    page.locator("#word-1").click()
    expect(page).to_have_url(re.compile("word=1"))
    assert page.evaluate("history.length") == before + 1


def test_the_last_letter_wins_however_fast_one_types(page, step):
    page.goto(step)
    field = page.get_by_label("Your sentence")
    field.fill("")
    field.press_sequentially("Old birds sing softly at dawn", delay=15)
    expect(page.locator(MAP_SELECTOR).first.locator(".key")).to_have_text(
        ["Old", "birds", "sing", "softly", "at", "dawn"]
    )
    expect(field).to_have_value("Old birds sing softly at dawn")
    assert "text=Old+birds+sing+softly+at+dawn&" in page.url


def test_a_word_chip_changes_what_each_head_picks(page, step):
    page.goto(step)
    before = picks(page)
    page.get_by_role("button", name="down", exact=True).click()
    expect(page.locator("#word-3")).to_have_attribute("aria-pressed", "true")
    after = picks(page)
    assert len(after) == len(before) == 5
    assert before != after
    expect(page).to_have_url(re.compile(r"word=3&v=2$"))
    expect(page.locator("#word-3")).to_be_focused()


@pytest.mark.parametrize(
    ("button", "in_address"),
    [
        ("#model-headwise-h8", "model=headwise-h8"),
        ("#model-headwise-h1", "model=headwise-h1"),
        ("#layer-1", "layer=1"),
        ("#source-random", "model=headwise-h4-random"),
        ("#show-lines", "show=lines"),
    ],
)
def test_every_setting_changes_the_address(page, step, button, in_address):
    page.goto(step)
    page.locator("#open-change").click()
    page.locator(button).click()
    expect(page).to_have_url(re.compile(in_address))
    expect(page.locator(button)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#open-change")).to_have_attribute("aria-expanded", "true")


def test_a_head_is_chosen(page, step):
    page.goto(step)
    page.locator("#lab-words #head-3").click()
    expect(page).to_have_url(re.compile("head=3"))
    expect(page.locator("#lab-words #head-3")).to_have_attribute("aria-pressed", "true")


def test_a_link_gives_the_same_maps_byte_for_byte_in_a_fresh_browser(page, step, browser):
    page.goto(step)
    page.get_by_label("Your sentence").fill("The zyzzyva didn't sit down")
    expect(page.locator("#word-1")).to_have_text("zyzzyva")
    page.locator("#open-change").click()
    page.locator("#model-headwise-h8").click()
    expect(page.locator(MAP_SELECTOR)).to_have_count(9)
    page.locator("#layer-1").click()
    expect(page).to_have_url(re.compile("layer=1"))
    page.locator("#word-3").click()
    expect(page).to_have_url(re.compile("word=3"))
    fresh_page = browser.new_context().new_page()
    fresh_page.goto(page.url)
    assert maps(fresh_page) == maps(page)
    assert picks(fresh_page) == picks(page)


def test_only_the_lab_is_swapped(page, step):
    page.goto(step)
    page.evaluate("document.querySelector('h1').dataset.mine = 'yes'")
    page.locator("#word-0").click()
    expect(page).to_have_url(re.compile("word=0"))
    assert page.evaluate("document.querySelector('h1').dataset.mine") == "yes"


def test_back_and_forward_restore_earlier_views(page, step):
    page.goto(step)
    start = maps(page)
    page.locator("#word-0").click()
    expect(page).to_have_url(re.compile("word=0"))
    page.locator("#open-change").click()
    expect(page).to_have_url(re.compile("open=change"))
    page.locator("#model-headwise-h2").click()
    expect(page.locator(MAP_SELECTOR)).to_have_count(3)
    two_head_maps = maps(page)
    page.go_back()
    expect(page.locator(MAP_SELECTOR)).to_have_count(5)
    expect(page.locator("#word-0")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("#panel")).to_have_count(0)
    page.go_back()
    expect(page.locator("#word-2")).to_have_attribute("aria-pressed", "true")
    assert maps(page) == start
    page.go_forward()
    expect(page.locator("#word-0")).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    expect(page.locator("#panel")).to_be_visible()
    page.go_forward()
    expect(page.locator(MAP_SELECTOR)).to_have_count(3)
    assert maps(page) == two_head_maps
    expect(page.get_by_label("Your sentence")).to_have_value("The cat sat down")


def test_a_prediction_is_revealed_and_a_new_word_resets_it(page, step):
    page.goto(step)
    page.locator("#predict-2").click()
    expect(page.locator("#predict .reveal")).to_contain_text("You said 2")
    expect(page.locator("#announce")).to_contain_text("You said 2")
    expect(page).to_have_url(re.compile("predict=2"))
    page.locator("#word-0").click()
    expect(page.locator("#predict .reveal")).to_have_count(0)
    expect(page.locator("#predict")).to_contain_text("The reads most")


def test_the_verdict_stays_while_heads_are_viewed(page, step):
    page.goto(step)
    page.locator("#predict-4").click()
    expect(page.locator("#verdict")).to_contain_text("You said 4")
    expect(page.locator(MAP_SELECTOR)).to_have_count(N_MAPS + 8)
    page.locator("#lab-words #head-3").click()
    expect(page).to_have_url(re.compile("head=3"))
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#word-0").click()
    expect(page.locator("#verdict")).to_have_count(0)
    expect(page.locator(MAP_SELECTOR)).to_have_count(N_MAPS)


def test_enter_shows_the_maps_without_making_a_prediction(page, step, browser):
    for tab in (page, without_scripts(browser)):
        tab.goto(step)
        tab.locator("#text").fill("Birds sing")
        tab.locator("#text").press("Enter")
        tab.wait_for_url(re.compile("text=Birds"))
        assert "predict" not in tab.url


@pytest.mark.parametrize("text", ["cat " * 60, ""])
@pytest.mark.parametrize("scripts", [True, False])
def test_answering_never_loses_the_typed_text(page, step, browser, text, scripts):
    tab = page if scripts else without_scripts(browser)
    tab.goto(step)
    tab.locator("#text").fill(text)
    if scripts:
        expect(page.locator("#lab-view .problem")).to_be_visible()
    tab.locator("#check-sum").click()
    tab.locator("#check .reveal").wait_for()
    assert tab.locator("#text").input_value() == text
    assert tab.locator(MAP_SELECTOR).count() == 0


def test_an_answer_right_after_typing_is_about_the_typed_text(page, step):
    page.goto(step)
    page.locator("#text").fill("Dogs chase small cats")
    page.locator("#predict-2").click()
    expect(page.locator(MAP_SELECTOR).first.locator(".key").first).to_have_text("Dogs")
    expect(page.locator("#text")).to_have_value("Dogs chase small cats")
    expect(page).to_have_url(re.compile("text=Dogs"))


def test_a_link_with_line_breaks_shows_what_the_field_holds(page, step):
    page.goto(f"{step}?text=The+cat%0Asat+down&word=1")
    assert key_labels(page) == ["The", "cat", "sat", "down"]
    page.locator("#word-3").click()
    expect(page).to_have_url(re.compile("word=3"))
    assert key_labels(page) == ["The", "cat", "sat", "down"]


def test_an_error_is_shown_in_the_lab_and_not_as_a_page_within_the_page(page, step):
    page.goto(step)
    page.locator("#text").evaluate("field => field.removeAttribute('maxlength')")
    page.locator("#text").fill("雪" * 5_000)
    expect(page.locator("#lab-view .problem")).to_contain_text("32,768 bytes")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("#announce")).to_contain_text("32,768 bytes")
    page.locator("#text").fill("Short again")
    expect(page.locator(MAP_SELECTOR)).to_have_count(5)


def test_the_title_returns_once_the_view_is_valid(page, step):
    page.goto(f"{step}?text=")
    expect(page).to_have_title(re.compile("cannot be shown"))
    page.locator("#text").fill("Mended")
    expect(page).to_have_title(re.compile("^Why one head"))


def test_prediction_and_check_are_shown_together(page, step):
    page.goto(step)
    page.locator("#predict-1").click()
    expect(page.locator("#predict .reveal")).to_be_visible()
    page.locator("#check-one-word").click()
    expect(page.locator("#check .reveal")).to_contain_text("Not quite.")
    expect(page.locator("#predict .reveal")).to_be_visible()
    page.locator("#check-sum").click()
    expect(page.locator("#check .reveal")).to_contain_text("Right.")
    page.reload()
    expect(page.locator("#check .reveal")).to_contain_text("Right.")
    expect(page.locator("#predict .reveal")).to_be_visible()


def test_a_sentence_that_is_too_long_is_reported_and_stays_in_the_field(page, step):
    page.goto(step)
    text = "cat " * 50
    page.get_by_label("Your sentence").fill(text)
    expect(page.locator("#lab-view .problem")).to_contain_text("2 tokens too long")
    expect(page.get_by_label("Your sentence")).to_have_value(text)
    page.reload()
    expect(page.get_by_label("Your sentence")).to_have_value(text)
    page.get_by_label("Your sentence").fill("cat")
    expect(words(page)).to_have_text(["cat"])


def test_clearing_the_field_asks_for_a_sentence(page, step):
    page.goto(step)
    page.get_by_label("Your sentence").fill("")
    expect(page.locator("#lab-view .problem")).to_contain_text("no word here yet")
    page.get_by_label("Your sentence").fill("Hello again")
    expect(page.locator(MAP_SELECTOR)).to_have_count(5)


def test_an_invalid_link_explains_itself_and_offers_a_valid_one(page, step):
    response = page.goto(f"{step}?{urlencode({'text': 'My own words', 'model': 'h3'})}")
    assert response.status == 422
    expect(page.locator("#lab-view .problem")).to_contain_text("There is no model “h3”")
    expect(page.get_by_label("Your sentence")).to_have_value("My own words")
    page.get_by_role("link", name="Open the nearest view that works").click()
    expect(page.locator(MAP_SELECTOR)).to_have_count(5)
    assert key_labels(page) == ["My", "own", "words"]


def test_the_keyboard_alone_leads_through_the_lab(page, step):
    page.goto(step)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Your sentence").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Birds sing")
    expect(page.locator(MAP_SELECTOR).first.locator(".key")).to_have_text(["Birds", "sing"])
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your sentence")).to_have_value("Birds sing")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(page.locator("#word-1")).to_be_focused()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile(r"word=1"))
    expect(page.locator("#word-1")).to_be_focused()


def test_without_scripts_the_same_forms_reload_the_page(step, browser):
    page = without_scripts(browser)
    page.goto(step)
    assert len(page.locator(MAP_SELECTOR).all()) == 5
    page.get_by_label("Your sentence").fill("Birds sing softly")
    page.get_by_role("button", name="Show", exact=True).click()
    assert key_labels(page) == ["Birds", "sing", "softly"]
    assert "edit" not in page.url
    page.locator("#word-0").click()
    assert page.url.endswith("word=0&v=2")
    page.locator("#open-change").click()
    page.locator("#model-headwise-h8").click()
    assert len(page.locator(MAP_SELECTOR).all()) == 9
    page.locator("#predict-1").click()
    assert "You said 1" in page.locator("#predict .reveal").text_content()
    page.locator("#check-sum").click()
    assert "Right." in page.locator("#check .reveal").text_content()
    assert "You said 1" in page.locator("#predict .reveal").text_content()


def test_with_and_without_scripts_the_maps_are_the_same(page, step, browser):
    page.goto(step)
    page.get_by_label("Your sentence").fill("Birds sing softly")
    expect(page.locator(MAP_SELECTOR).first.locator(".key")).to_have_count(3)
    scriptless_page = without_scripts(browser)
    scriptless_page.goto(page.url)
    scriptless_maps = scriptless_page.locator(MAP_SELECTOR)
    assert [svg.count() for svg in (scriptless_maps, page.locator(MAP_SELECTOR))] == [5, 5]
    assert scriptless_maps.first.inner_html() == page.locator(MAP_SELECTOR).first.inner_html()


def test_nothing_is_fetched_from_another_host(page, server, step):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for address in (server, step, f"{server}/docs", f"{server}/nowhere"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
    page.goto(step)
    page.locator("#word-0").click()
    expect(page).to_have_url(re.compile("word=0"))
    assert hosts == {server.removeprefix("http://")}


@pytest.mark.parametrize("width", [1280, 390, 360])
@pytest.mark.parametrize("text", ["The cat sat down", "a" * 300, "the cat " * 24])
def test_no_page_scrolls_sideways(page, step, width, text):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{step}?{urlencode({'text': text})}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

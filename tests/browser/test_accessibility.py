"""Every page under axe, light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.pages import CHECKPOINT_PAGES, LESSON, PAGES, STEP_PATHS


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser, server, theme, width):
    assert axe_violations(browser, theme, width, [server + address for address in PAGES]) == {}


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_checkpoints_are_shown(browser, checkpoint_server, theme, width):
    addresses = [checkpoint_server + address for address in CHECKPOINT_PAGES]
    assert axe_violations(browser, theme, width, addresses) == {}


ANSWERS = ["1", "less", "0", "headwise-h1", "0", "object-to-verb", "0-2"]
PANELS = [
    "heads",
    "compare&minus=headwise-h1.0",
    "explain&cell=1.0",
    "row",
    "change",
    "numbers",
    "files",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_after_a_prediction_with_a_panel_open(browser, server, theme):
    panels = PANELS if theme == "light" else PANELS[::-1]
    addresses = [
        f"{server}{LESSON}/{number}?predict={answer}&open={panel}"
        for number, (answer, panel) in enumerate(zip(ANSWERS, panels, strict=True), 1)
    ]
    assert axe_violations(browser, theme, 1280, addresses) == {}


def test_forced_colours_mark_the_right_answer_and_the_heads_that_decide(browser, server):
    page = browser.new_context(forced_colors="active").new_page()
    page.goto(f"{server}{LESSON}/7?predict=0-2")
    styles = page.locator(".head-pair").evaluate_all(
        "all => all.map((e) => [e.matches('.is-marked'), getComputedStyle(e).outlineStyle])"
    )
    assert {style for is_marked, style in styles if is_marked} == {"dashed"}
    assert {style for is_marked, style in styles if not is_marked} == {"none"}
    expect(page.locator(".choices .is-right")).to_have_css("border-top-style", "dashed")


def test_a_printed_step_has_prose_question_and_maps_without_controls(page, server):
    page.goto(f"{server}{LESSON}/5?predict=0")
    page.emulate_media(media="print")
    for shown in (".prose", "#predict", "#verdict", "svg.map", "#check .options button"):
        expect(page.locator(shown).first).to_be_visible()
    for hidden in ("#lab button", "summary", "#next", ".skip-link"):
        expect(page.locator(f"{hidden}:visible")).to_have_count(0)


def axe_violations(browser, theme, width, addresses):
    """What axe has to say of each page, by its address; nothing of those that are well."""
    # axe is put into the page as a script, which the site's own policy rightly forbids.
    context = browser.new_context(
        bypass_csp=True, color_scheme=theme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    violations_by_address = {}
    for address in addresses:
        page.goto(address)
        violations = Axe().run(page).response["violations"]
        if violations:
            violations_by_address[address] = [
                (v["id"], v["nodes"][0]["html"][:200]) for v in violations
            ]
    return violations_by_address


# 320 pixels are what 1280 leave at 400 % zoom.
@pytest.mark.parametrize("width", [360, 320])
@pytest.mark.parametrize("path", STEP_PATHS)
def test_no_step_scrolls_sideways_on_a_phone_or_enlarged(page, server, path, width):
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{server}{path}?text={'the+cat+' * 20}&cell=0.1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("address", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(page, server, address):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(server + address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("address", CHECKPOINT_PAGES)
def test_no_page_of_a_checkpoint_scrolls_sideways_on_a_phone(page, checkpoint_server, address):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(checkpoint_server + address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_buttons_and_links_of_the_lab_are_large_enough(page, server):
    page.goto(f"{server}{LESSON}/5")
    small = page.locator("#lab button, .steps a").evaluate_all(
        """all => all.filter((each) => {
            const box = each.getBoundingClientRect();
            return box.width && (box.width < 24 || box.height < 24);
        }).map((each) => each.outerHTML)"""
    )
    assert small == []


def test_without_motion_colour_or_sheets_of_paper_the_lab_still_works(browser, server):
    context = browser.new_context(reduced_motion="reduce", forced_colors="active")
    page = context.new_page()
    page.goto(f"{server}{LESSON}/2")
    page.locator("#head-1").click()
    expect(page.locator("#head-1")).to_have_attribute("aria-pressed", "true")
    page.emulate_media(media="print")
    for selector in (".site-header nav", ".controls", "#look"):
        expect(page.locator(selector).first).not_to_be_visible()
    expect(page.locator("svg.map").first).to_be_visible()

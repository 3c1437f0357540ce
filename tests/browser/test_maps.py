"""Reading maps by pointer and keys, and how the page looks, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import STEP_PATHS


@pytest.fixture
def step_2(server):
    """Step 2 with every row of its map."""
    path = f"{server}/multi-head-attention/rows-ask-columns-answer"
    return f"{path}?text=The+old+fox+ran+off+again&model=headwise-h4&reveal=1"


def first_map(page):
    return page.locator("figure[data-head] svg.map").first


def test_arrow_keys_read_cells_and_enter_explains_one(page, step_2):
    page.goto(step_2)
    first_map(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announce")).to_have_text(re.compile(r"^The reads The: 0\.\d{4}$"))
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".read-out").first).to_have_text(re.compile(r"^fox reads old: 0\.\d{4}$"))
    page.keyboard.press("End")
    expect(page.locator(".read-out").first).to_have_text(re.compile("^fox reads again: "))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".read-out").first).to_have_text(re.compile("^fox reads again: "))
    page.keyboard.press("Enter")
    expect(page.locator("#explained")).to_contain_text("fox (row 2) reads again (column 5)")


def test_pointing_shows_the_number_in_the_table(page, step_2):
    page.goto(step_2)
    ground = first_map(page).locator(".ground")
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 1.5 / 6, box["y"] + box["height"] * 3.5 / 6)
    expect(page.locator(".read-out").first).to_have_text(re.compile("^ran reads old: "))
    weight_text = page.locator(".read-out").first.text_content().split(": ")[1]
    page.locator("#open-numbers").click()
    row = page.locator("#panel tbody tr").nth(3)
    expect(row.locator("td").nth(1)).to_have_text(weight_text)


def test_reading_a_cell_does_not_shift_the_layout(page, step_2):
    page.goto(step_2)
    before = page.evaluate("document.documentElement.scrollHeight")
    first_map(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".read-out").first).not_to_be_empty()
    assert page.evaluate("document.documentElement.scrollHeight") == before


def test_theme_and_heat_are_remembered_without_a_flash(page, server):
    page.goto(server)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#look summary").click()
    page.get_by_label("dark").check()
    page.get_by_label("viridis").check()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(f"{server}/models")
    assert page.evaluate(ground) == dark
    assert page.evaluate("document.documentElement.dataset.heat") == "viridis"
    assert page.evaluate("document.querySelector('script[src*=theme]').defer") is False
    page.locator("#look summary").click()
    expect(page.get_by_label("viridis")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator(".theme-panel")).not_to_be_visible()
    expect(page.locator("#look summary")).to_be_focused()


@pytest.mark.parametrize("heat", ["default", "cividis", "viridis", "greys"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_heat_begins_at_the_page_and_numbers_stay_readable(page, step_2, theme, heat):
    page.goto(step_2)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.evaluate(f"document.documentElement.dataset.heat = '{heat}'")
    contrasts = page.evaluate("""() => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const luminance = (colour) => {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
                const share = part / 255;
                return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const probe = document.body.appendChild(document.createElement("i"));
        const inks = (level) => (level <= 9 ? "on-cool" : level <= 11 ? "on-mid" : "on-hot");
        return Array.from({ length: 21 }, (_, level) => {
            probe.className = `heat-${level} ${inks(level)}`;
            probe.style.color = "var(--on-heat)";
            probe.style.backgroundColor = "var(--heat)";
            const style = getComputedStyle(probe);
            const [ink, ground] = [luminance(style.color), luminance(style.backgroundColor)];
            return [(Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05), ground];
        });
    }""")
    grounds = [ground for _, ground in contrasts]
    assert grounds == sorted(grounds, reverse=theme == "light")
    assert min(contrast for contrast, _ in contrasts) >= 4.5


def test_two_heads_are_compared(page, step_2):
    page.goto(step_2)
    page.locator("#open-compare").click()
    page.locator("#minus").select_option("headwise-h1.0")
    expect(page).to_have_url(re.compile(r"minus=headwise-h1\.0"))
    expect(page.locator(".head-name", has_text="minus head 0 of headwise-h1")).to_be_visible()
    page.locator("#minus").select_option("")
    expect(page.locator(".head-name", has_text="minus head 0 of headwise-h1")).to_have_count(0)


VEILED = "/multi-head-attention/rows-ask-columns-answer?text=The+old+fox+ran+off&word=2&head=1"


def test_rows_that_are_not_shown_have_no_number_and_nothing_is_fetched_for_them(page, server):
    page.goto(f"{server}{VEILED}")
    fetched = []

    def note(request):
        fetched.append(request.url)

    page.on("request", note)
    first_map(page).focus()
    page.keyboard.press("ArrowRight")
    read_out = page.locator(".read-out").first
    expect(read_out).to_have_text("The reads The: appears when you have predicted")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert [url for url in fetched if "numbers" in url or "cell" in url] == []
    assert page.locator("#explained").count() == 0
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(read_out).to_have_text(re.compile(r"^fox reads The: 0\.\d{4}$"))
    page.locator("#predict .choices button").first.click()
    expect(page.locator("#verdict")).to_be_visible()
    first_map(page).focus()
    page.keyboard.press("ArrowRight")
    expect(read_out).to_have_text(re.compile(r"^The reads The: 0\.\d{4}$"))


def test_a_press_on_a_map_explains_its_cell_and_keeps_word_and_prediction(page, server):
    page.goto(f"{server}/multi-head-attention/why-one-head-is-not-enough")
    page.locator("#predict .choices button").first.click()
    expect(page.locator("#verdict")).to_be_visible()
    word = page.locator('.word-row [aria-pressed="true"]').get_attribute("id")
    figure = page.locator('figure[data-head="0"]').first
    box = figure.locator(".ground").bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    expect(page.locator("#explained")).to_contain_text("Head 0")
    expect(page).to_have_url(re.compile("head=0.*cell=0.0"))
    expect(page.locator("#verdict")).to_be_visible()
    assert page.locator('.word-row [aria-pressed="true"]').get_attribute("id") == word


def test_maps_in_a_row_are_one_tab_stop(page, server):
    page.goto(f"{server}/multi-head-attention/why-one-head-is-not-enough")
    maps = page.locator("figure[data-head] svg.map:not(.map-thumb)")
    stops = maps.evaluate_all("all => all.filter((each) => each.tabIndex === 0).length")
    assert (stops, maps.count()) == (1, 4)
    maps.first.focus()
    page.keyboard.press("PageDown")
    expect(maps.nth(1)).to_be_focused()
    page.keyboard.press("PageUp")
    expect(maps.first).to_be_focused()


def test_pointing_elsewhere_takes_the_cursor_away(page, step_2):
    page.goto(step_2)
    box = first_map(page).locator(".ground").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    expect(page.locator(".read-out").first).not_to_be_empty()
    page.get_by_label("Your sentence").hover()
    expect(page.locator(".read-out").first).to_be_empty()
    expect(page.locator(".cursor")).to_have_count(0)


WITHOUT_NAME = """() => [...document.querySelectorAll("#lab svg")].filter((each) =>
    each.getClientRects().length
    && !each.closest("[aria-hidden=true], [role=img][aria-label]")
    && !each.getAttribute("aria-label")
    && !each.closest("button, td, th, li")?.textContent.trim()
    && !each.closest("button")?.getAttribute("aria-label")
).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("query", ["", "?reveal=1", "?open=row", "?open=heads", "?open=explain"])
@pytest.mark.parametrize("path", STEP_PATHS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_every_picture_of_a_lab_has_a_name_or_stands_beside_its_text(page, server, path, query):
    page.goto(f"{server}{path}{query}")
    assert page.evaluate(WITHOUT_NAME) == []


def test_layouts_are_in_the_address(page, server):
    page.goto(f"{server}/multi-head-attention/why-one-head-is-not-enough?open=change")
    shown = page.locator('[name="show"]').evaluate_all("all => all.map((each) => each.value)")
    assert len(shown) > 1
    for show in reversed(shown):
        page.locator(f"#show-{show}").click()
        expect(page.locator(f"#show-{show}")).to_have_attribute("aria-pressed", "true")
        page.reload()
        expect(page.locator(f"#show-{show}")).to_have_attribute("aria-pressed", "true")


def test_after_enter_on_a_cell_the_map_keeps_focus(page, step_2):
    page.goto(step_2)
    first_map(page).focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#explained")).to_be_visible()
    expect(first_map(page)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".read-out").first).to_have_text(re.compile("^old reads old: "))


def test_after_going_back_the_look_and_the_warning_still_work(browser, step_2):
    context = browser.new_context()
    page = context.new_page()
    page.goto(step_2)
    page.locator("#head-3").click()
    expect(page).to_have_url(re.compile("head=3"))
    page.go_back()
    expect(page.locator("#head-3")).to_have_attribute("aria-pressed", "false")
    page.locator("#look summary").click()
    page.get_by_label("dark").check()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Escape")
    context.set_offline(True)
    page.locator("#head-1").click()
    expect(page.locator("#trouble")).to_be_visible()


@pytest.fixture
def touch_page(browser, server):
    """A phone: fingers, no pointer that hovers."""
    context = browser.new_context(
        has_touch=True,
        is_mobile=True,
        viewport={"width": 390, "height": 844},
        service_workers="block",
    )
    page = context.new_page()
    page.goto(
        f"{server}/multi-head-attention/rows-ask-columns-answer?text=Birds+sing+at+dawn&reveal=1"
    )
    yield page
    context.close()


def test_tapping_a_cell_explains_it(touch_page):
    ground = first_map(touch_page).locator(".ground")
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    touch_page.touchscreen.tap(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    expect(touch_page).to_have_url(re.compile(r"cell=2\.1"))
    expect(touch_page.locator("#explained")).to_contain_text("at (row 2) reads sing")


def test_tapping_chooses_words_and_heads(touch_page):
    touch_page.locator("#word-2").tap()
    expect(touch_page.locator(".reading .is-query")).to_have_text("at")
    touch_page.locator("#lab-words #head-3").tap()
    expect(touch_page.locator("#lab-words #head-3")).to_have_attribute("aria-pressed", "true")

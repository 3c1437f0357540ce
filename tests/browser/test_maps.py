"""Reading maps by pointer and keys, and how the page looks, in a real browser."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def step_2(server):
    return f"{server}/multi-head-attention/2?text=The+old+fox+ran+off+again&model=headwise-h4"


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
    expect(page.locator("#explained")).to_contain_text("fox (row 2) comes to read again (column 5)")


def test_pointing_shows_the_number_in_the_table(page, step_2):
    page.goto(step_2)
    ground = first_map(page).locator(".ground")
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 1.5 / 6, box["y"] + box["height"] * 3.5 / 6)
    expect(page.locator(".read-out").first).to_have_text(re.compile("^ran reads old: "))
    weight_text = page.locator(".read-out").first.text_content().split(": ")[1]
    page.locator(".numbers-link a").click()
    row = page.locator("#numbers tbody tr").nth(3)
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
    page.locator("#minus").select_option("headwise-h1.0")
    expect(page).to_have_url(re.compile(r"minus=headwise-h1\.0"))
    expect(page.get_by_text("minus head 0 of headwise-h1")).to_be_visible()
    page.locator("#minus").select_option("")
    expect(page.get_by_text("minus head 0 of headwise-h1")).to_have_count(0)


def test_pointing_shows_a_head_until_a_press_locks_one(page, server):
    page.goto(f"{server}/multi-head-attention/6")
    large_head = page.locator(".large-head.is-current")
    expect(large_head).to_have_attribute("data-large-head", "0")
    page.locator("#head-4").hover()
    expect(large_head).to_have_attribute("data-large-head", "4")
    expect(large_head.locator("svg.map")).to_be_visible()
    page.get_by_label("Your sentence").hover()
    expect(large_head).to_have_attribute("data-large-head", "0")
    page.locator("#head-2").click()
    expect(page).to_have_url(re.compile(r"head=2.*lock=1"))
    expect(large_head).to_have_attribute("data-large-head", "2")
    page.locator("#head-4").hover()
    expect(large_head).to_have_attribute("data-large-head", "2")
    page.locator("#unlock").click()
    expect(page.locator("#unlock")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("lock"))
    page.locator("#head-4").hover()
    expect(large_head).to_have_attribute("data-large-head", "4")


def test_focusing_a_head_shows_it(page, server):
    page.goto(f"{server}/multi-head-attention/6")
    page.locator("#head-3").focus()
    expect(page.locator(".large-head.is-current")).to_have_attribute("data-large-head", "3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"head=3.*lock=1"))


def test_every_layout_is_in_the_address(page, server):
    page.goto(f"{server}/multi-head-attention/6")
    for show, sign in (
        ("grid", ".heads"),
        ("strip", ".strips"),
        ("lines", "svg.ties"),
        ("map", ".thumbs"),
    ):
        page.locator(f"#show-{show}").click()
        expect(page).to_have_url(re.compile(f"show={show}"))
        expect(page.locator(sign).first).to_be_visible()
        page.reload()
        expect(page.locator(sign).first).to_be_visible()
        expect(page.locator(f"#show-{show}")).to_have_attribute("aria-pressed", "true")


def test_heads_are_drawn_as_lines(page, server):
    page.goto(f"{server}/multi-head-attention/1")
    page.locator("#show-lines").click()
    expect(page.locator("svg.ties")).to_have_count(2)
    page.locator("#show-grid").click()
    expect(page.locator("svg.ties")).to_have_count(0)


def test_a_slow_response_is_indicated_and_the_old_maps_stay(page, step_2):
    page.goto(step_2)
    before = first_map(page).evaluate("each => each.outerHTML")

    held = []

    def hold(route):
        held.append(route)

    page.route("**/*head=3*", hold)
    page.locator("#head-3").click()
    expect(page.locator(".lab")).to_have_attribute("aria-busy", "true")
    assert first_map(page).evaluate("each => each.outerHTML") == before
    expect(page.locator("#head-3")).to_have_attribute("aria-pressed", "false")
    (response,) = held
    response.continue_()
    expect(page.locator("#head-3")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".lab")).to_have_attribute("aria-busy", "false")


def test_when_the_server_is_unreachable_the_text_stays_and_retrying_works(browser, step_2):
    context = browser.new_context()
    page = context.new_page()
    page.goto(step_2)
    context.set_offline(True)
    page.locator("#text").fill("Birds sing at dawn")
    expect(page.locator("#trouble")).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("The server does not answer.")
    expect(page.locator("#text")).to_have_value("Birds sing at dawn")
    expect(first_map(page)).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#word-0")).to_have_text("Birds")
    expect(page.locator("#trouble")).not_to_be_visible()


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
    page.goto(f"{server}/multi-head-attention/6?text=Birds+sing+at+dawn")
    yield page
    context.close()


def test_tapping_a_cell_explains_it(touch_page):
    ground = touch_page.locator(".large-head.is-current svg.map .ground")
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    touch_page.touchscreen.tap(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6)
    expect(touch_page).to_have_url(re.compile(r"cell=2\.1"))
    expect(touch_page.locator("#explained")).to_contain_text("how at (row 2) comes to read sing")
    expect(touch_page.locator(".large-head.is-current .read-out")).to_contain_text(
        "at reads sing: 0."
    )


def test_tapping_a_head_shows_and_locks_it(touch_page):
    touch_page.locator("#head-5").tap()
    expect(touch_page).to_have_url(re.compile(r"head=5.*lock=1"))
    expect(touch_page.locator(".large-head.is-current")).to_have_attribute("data-large-head", "5")
    touch_page.locator("#unlock").tap()
    expect(touch_page.locator("#unlock")).to_have_count(0)


def test_tapping_chooses_words_and_layouts(touch_page):
    touch_page.locator("#word-2").tap()
    expect(touch_page.locator(".caption-text .is-query").first).to_have_text("at")
    touch_page.locator("#show-strip").tap()
    expect(touch_page.locator(".strips .strip-row")).to_have_count(8)

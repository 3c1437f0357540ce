"""The budgets of a step's page: heights, controls, distances, and maps that fill their rows."""

from urllib.parse import urlencode

import pytest

from tests.chromium import launch_options
from tests.pages import STEP_PATHS

WIDE, PHONE = (1280, 800), (390, 844)

MAX_PAGE_HEIGHT = 1_800
MAX_PHONE_PAGE_HEIGHT = 3_600
MAX_LAB_CONTROLS = 24
MAX_TAB_STOPS = 12
"""Tab stops of a lab: a group of buttons is one."""

MAX_TAB_STOPS_BEFORE = 12
"""Presses of the Tab key from the sentence to a map, and from the top to the prediction."""

WIDTHS = (360, 768, 1024, 1220, 1280, 1440, 2560)

LONG_SENTENCE = (
    "the old man and the sea were calm that day so he went out to fish and then"
    " came home at night to eat with his wife who had waited for him there"
)
SENTENCE_LENGTHS = (1, 4, 7, 10, 16, 34)
MODELS = ("headwise-h1", "headwise-h8")


@pytest.fixture(scope="module")
def scrollbar_browser(playwright):
    """A browser whose scrollbars take space, as on most desktops."""
    browser = playwright.chromium.launch(
        **launch_options(), ignore_default_args=["--hide-scrollbars"]
    )
    yield browser
    browser.close()


@pytest.fixture(params=STEP_PATHS, ids=lambda path: path.rsplit("/", 1)[-1])
def open_step(request, page, server):
    """Open a step with its own sentence in a window of a size."""

    def open_step(size, query=""):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{server}{request.param}{query}")
        return page

    return open_step


PAGE_HEIGHT = "document.documentElement.scrollHeight"


def test_the_page_of_a_step_is_short(open_step):
    assert open_step(WIDE).evaluate(PAGE_HEIGHT) <= MAX_PAGE_HEIGHT


def test_the_page_of_a_step_is_short_on_a_phone(open_step):
    assert open_step(PHONE).evaluate(PAGE_HEIGHT) <= MAX_PHONE_PAGE_HEIGHT


def test_the_lab_fits_the_window_without_scrolling_inside(open_step):
    lab = open_step(WIDE).evaluate(
        """() => {
            const lab = document.querySelector(".lab");
            const box = lab.getBoundingClientRect();
            return [box.bottom, lab.scrollHeight - lab.clientHeight];
        }"""
    )
    bottom, hidden_height = lab
    assert hidden_height <= 0
    assert bottom <= WIDE[1]


CONTROLS = """() => Array.from(document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)).filter((each) => each.closest(".lab") && !each.disabled && each.getClientRects().length)
.map((each) => [each.id || each.outerHTML.slice(0, 80), each.tabIndex >= 0])"""


def test_a_lab_has_few_controls(open_step):
    """The words of a sentence are not counted: they are as many as the learner types."""
    controls = [name for name, _ in open_step(WIDE).evaluate(CONTROLS)]
    others = [name for name in controls if not name.startswith("word-")]
    assert 5 < len(others) < len(controls)
    assert len(others) <= MAX_LAB_CONTROLS, others


def test_the_tab_key_stops_rarely_in_a_lab(open_step):
    stops = [name for name, is_stop in open_step(WIDE).evaluate(CONTROLS) if is_stop]
    assert 3 < len(stops) <= MAX_TAB_STOPS, stops


def tab_presses(page, selector, max_presses=60):
    """Count the presses of the Tab key until an element that fits the selector has the focus."""
    for presses in range(1, max_presses + 1):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return presses
    return max_presses + 1


def test_the_map_is_reached_in_a_few_presses_of_tab(open_step):
    page = open_step(WIDE)
    page.locator("#text").focus()
    assert tab_presses(page, "svg.map, .thumb-button") <= MAX_TAB_STOPS_BEFORE


def test_the_prediction_is_reached_in_a_few_presses_of_tab(open_step):
    page = open_step(WIDE)
    page.locator(".skip-link[href='#main']").press("Enter")
    assert tab_presses(page, "#predict button") <= MAX_TAB_STOPS_BEFORE


# For each link that acts on the lab: what it asks for, and whether both are in view together.
OUT_OF_VIEW = """() => {
    const isInView = (element) => {
        let box = element.getBoundingClientRect();
        let [top, bottom] = [box.top, box.bottom];
        for (let each = element.parentElement; each; each = each.parentElement) {
            if (!/auto|scroll|hidden/.test(getComputedStyle(each).overflowY)) continue;
            const outer = each === document.documentElement || each === document.body
                ? { top: 0, bottom: innerHeight } : each.getBoundingClientRect();
            [top, bottom] = [Math.max(top, outer.top), Math.min(bottom, outer.bottom)];
        }
        return Math.max(top, 0) < Math.min(bottom, innerHeight) && box.width > 0;
    };
    const isVisible = (element) => element.getClientRects().length > 0;
    const controlOf = (name, value) => {
        const controls = [...document.querySelectorAll(`#lab [name="${name}"]:not([type=hidden])`)]
            .filter(isVisible);
        return controls.find((each) => each.value === value) ?? controls[0]
            ?? document.querySelector(".provenance");
    };
    const targetsOf = (link) => {
        if (link.dataset.light) {
            return [document.querySelector(`[data-part="${link.dataset.light}"]`)];
        }
        return [...new URLSearchParams(link.dataset.act)].map(([name, value]) =>
            name === "text" ? document.querySelector("#text") : controlOf(name, value));
    };
    const failures = [];
    for (const link of document.querySelectorAll("article :is(a.act, [data-light])")) {
        if (!isVisible(link) || link.closest(".lab, details:not([open])")) continue;
        link.scrollIntoView({ block: "center" });
        const targets = targetsOf(link);
        if (targets.length && targets.every((each) => each && isInView(each))) continue;
        failures.push(`${link.textContent}: ${link.dataset.act ?? link.dataset.light}`);
    }
    return failures;
}"""


def test_what_the_words_ask_for_is_in_view_beside_them(open_step):
    assert open_step(WIDE).evaluate(OUT_OF_VIEW) == []


SIDEWAYS = """() => {
    const root = document.documentElement;
    const lab = document.querySelector(".lab");
    return [root.scrollWidth - root.clientWidth, lab.scrollWidth - lab.clientWidth];
}"""

# Rows of maps with a single map although two would fit; a last odd map of two columns may be alone.
LONELY_MAPS = """() => {
    const failures = [];
    const figures = [...document.querySelectorAll(".lab-body :is(figure.head, .thumb-button)")]
        .filter((each) => each.querySelector("svg") && each.getClientRects().length);
    for (const parent of new Set(figures.map((each) => each.parentElement))) {
        const boxes = figures.filter((each) => each.parentElement === parent)
            .map((each) => each.getBoundingClientRect());
        const rows = {};
        for (const row of boxes.map((box) => Math.round(box.top / 8))) {
            rows[row] = (rows[row] ?? 0) + 1;
        }
        const sizes = Object.values(rows);
        const widest = Math.max(...boxes.map((box) => box.width));
        const hasRoomForTwo = parent.clientWidth >= 2 * widest + 8;
        const isLastOfPairs = boxes.length % 2 === 1 && Math.max(...sizes) === 2
            && sizes.indexOf(1) === sizes.length - 1;
        if (boxes.length > 1 && sizes.includes(1) && hasRoomForTwo && !isLastOfPairs) {
            failures.push(`${parent.className}: rows of ${sizes} maps`);
        }
    }
    return failures;
}"""


@pytest.mark.parametrize("n_words", SENTENCE_LENGTHS)
@pytest.mark.parametrize("path", STEP_PATHS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_no_width_scrolls_sideways_and_no_map_is_alone(scrollbar_browser, server, path, n_words):
    context = scrollbar_browser.new_context(service_workers="block")
    page = context.new_page()
    text = " ".join(LONG_SENTENCE.split()[:n_words])
    failures = []
    for model in MODELS:
        for revealed in ("", "1") if model == MODELS[-1] else ("1",):
            query = {"text": text, "model": model, "reveal": revealed}
            page.goto(f"{server}{path}?{urlencode(query)}")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                sideways, lab_sideways = page.evaluate(SIDEWAYS)
                where = f"{model} {width}px{' revealed' if revealed else ''}"
                if sideways > 0 or lab_sideways > 0:
                    failures.append(f"{where}: {sideways}, lab {lab_sideways} px too wide")
                failures += [f"{where}: alone in {each}" for each in page.evaluate(LONELY_MAPS)]
    context.close()
    assert not failures, "\n".join(failures)

"""The weight of a first visit and the layout shifts while it loads."""

import gzip

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON, STEP_PATHS

MAX_FIRST_VISIT_BYTES = 150_000
"""Bytes on the wire with headers, fonts included."""

MAX_MAP_BYTES = 8_192
"""Bytes of the maps of eight heads over sixteen tokens, gzipped as the server does."""

SIXTEEN_TOKENS = "the old man and the sea were calm that day so he went out to fish"


@pytest.fixture
def first_visit(browser):
    """A first visit: nothing is cached. Gives the page and the sizes of all that was fetched."""
    context = browser.new_context()

    def go(address):
        page = context.new_page()
        finished = []

        def note(request):
            finished.append(request)

        page.on("requestfinished", note)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        sizes = [each.sizes() for each in finished]
        return page, sum(s["responseBodySize"] + s["responseHeadersSize"] for s in sizes)

    yield go
    context.close()


@pytest.mark.parametrize("path", ["/", *STEP_PATHS, "/models"])
def test_a_first_visit_is_light(first_visit, server, path):
    _, weight = first_visit(server + path)
    assert 10_000 < weight <= MAX_FIRST_VISIT_BYTES


def test_eight_maps_of_sixteen_tokens_are_light(page, server):
    page.goto(f"{server}{LESSON}/6?show=grid&text={SIXTEEN_TOKENS.replace(' ', '+')}")
    maps = page.locator("svg.map").evaluate_all("all => all.map((each) => each.outerHTML)")
    assert len(maps) == 8
    expect(page.locator("svg.map").first.locator(".query")).to_have_count(16)
    assert len(gzip.compress("".join(maps).encode(), 4)) <= MAX_MAP_BYTES


SUM_OF_LAYOUT_SHIFTS = """
window.layoutShift = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.layoutShift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
TWO_FRAMES = """() => new Promise(
    (done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))
)"""

MAX_LAYOUT_SHIFT = 0.0005
"""Cumulative layout shift: 0.1 is called good; less than this is below a pixel."""


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["wide", "narrow"])
def shifting_page(request, browser):
    """A first visit that adds up its layout shifts; gives the page and how to read them."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.add_init_script(SUM_OF_LAYOUT_SHIFTS)

    def layout_shift():
        page.evaluate(TWO_FRAMES)
        return page.evaluate("window.layoutShift")

    yield page, layout_shift
    context.close()


@pytest.mark.parametrize("path", STEP_PATHS)
def test_the_layout_does_not_shift_while_a_page_loads(shifting_page, server, path):
    page, layout_shift = shifting_page
    page.goto(server + path)
    page.wait_for_load_state("networkidle")
    assert layout_shift() < MAX_LAYOUT_SHIFT


def test_a_layout_that_shifts_by_a_pixel_is_noticed(shifting_page, server):
    page, layout_shift = shifting_page
    page.goto(server + STEP_PATHS[0])
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelector('main').style.marginTop = '3px'")
    assert layout_shift() > MAX_LAYOUT_SHIFT

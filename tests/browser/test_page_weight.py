"""What a first visit carries, and how still the page stands while it comes."""

import gzip

import pytest
from playwright.sync_api import expect

LESSON = "/multi-head-attention"
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


@pytest.mark.parametrize("path", ["/", *(f"{LESSON}/{step}" for step in range(1, 8)), "/models"])
def test_a_first_visit_is_light(first_visit, server, path):
    _, weight = first_visit(server + path)
    assert 10_000 < weight <= MAX_FIRST_VISIT_BYTES


def test_eight_maps_of_sixteen_tokens_are_light(page, server):
    page.goto(f"{server}{LESSON}/6?show=grid&text={SIXTEEN_TOKENS.replace(' ', '+')}")
    maps = page.locator("svg.map").evaluate_all("all => all.map((each) => each.outerHTML)")
    assert len(maps) == 8
    expect(page.locator("svg.map").first.locator(".query")).to_have_count(16)
    assert len(gzip.compress("".join(maps).encode(), 4)) <= MAX_MAP_BYTES


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("step", range(1, 8))
def test_the_layout_does_not_shift_while_a_page_loads(browser, server, step, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"{server}{LESSON}/{step}")
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(
        """() => new Promise((done) => {
            let total = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) total += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => done(total), 100);
        })"""
    )
    context.close()
    # Cumulative layout shift: 0.1 is called good; less than this is below a pixel.
    assert shift < 0.0005

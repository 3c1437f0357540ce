"""Maps and the row figure as a browser shows them: nothing is cut, small or overlapping."""

import pytest

from tests.shipped import LESSONS

(LESSON,) = LESSONS
STEPS = [step.slug for step in LESSON.steps]
SENTENCES = (
    "The cat sat down",
    "雪 is cold",
    "unquestionably internationalisation matters",
    "The old dog that chased the small black cat slept well 雪",
    "the " * 30,
)

CUT_OR_SMALL = """() => {
    const found = [];
    for (const svg of document.querySelectorAll("svg.map")) {
        const box = svg.getBoundingClientRect();
        const clips = getComputedStyle(svg).overflow !== "visible";
        for (const text of svg.querySelectorAll("text")) {
            const part = text.getBoundingClientRect();
            if (!part.width || getComputedStyle(text).visibility === "hidden") continue;
            const { a, b } = text.getScreenCTM();
            const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
            const cut = clips && (part.left < box.left - 1.5 || part.right > box.right + 1.5 ||
                part.top < box.top - 1.5 || part.bottom > box.bottom + 1.5);
            if (cut || size < 11.7) found.push([text.textContent, cut, size]);
        }
    }
    return found;
}"""

OVERLAPS = """() => {
    const figure = document.querySelector(".row-flow");
    const range = document.createRange();
    const boxes = [];
    for (const each of figure.querySelectorAll("bdi, span, sub, th, td, p, .vector, .weight-bar")) {
        if (each.closest(".visually-hidden")) continue;
        if (!each.matches("svg") && (each.children.length || !each.textContent.trim())) continue;
        range.selectNodeContents(each);
        const box = (each.matches("svg") ? each : range).getBoundingClientRect();
        if (box.width) boxes.push([each.textContent.trim() || each.getAttribute("class"), box]);
    }
    const found = [];
    for (const [name, one] of boxes) {
        for (const [other, two] of boxes) {
            if (one === two) continue;
            const width = Math.min(one.right, two.right) - Math.max(one.left, two.left);
            const height = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
            if (width > 1 && height > 2.5) found.push([name, other, width, height]);
        }
    }
    const { left, right } = figure.getBoundingClientRect();
    const outside = boxes.filter(([, box]) => box.left < left - 1 || box.right > right + 1);
    return [found, outside.map(([name]) => name)];
}"""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("slug", STEPS)
def test_no_label_of_a_map_is_cut_or_smaller_than_12_pixels(page, server, slug, width):
    page.set_viewport_size({"width": width, "height": 800})
    for text in SENTENCES:
        page.goto(f"{server}/{LESSON.slug}/{slug}?reveal=1&text={text}")
        assert page.locator("svg.map").count()
        assert page.evaluate(CUT_OR_SMALL) == []


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("query", ["", "&causal=1", "&model=headwise-h8", "&model=headwise-h1"])
def test_nothing_of_the_row_figure_overlaps_or_sticks_out(page, server, query, width):
    page.set_viewport_size({"width": width, "height": 800})
    for text in SENTENCES:
        page.goto(f"{server}/{LESSON.slug}/{STEPS[0]}?reveal=1&open=row&text={text}{query}")
        assert page.evaluate(OVERLAPS) == [[], []]


def test_the_row_figure_is_a_table_with_its_numbers(page, server):
    page.goto(f"{server}/{LESSON.slug}/{STEPS[0]}?reveal=1&open=row&text=The cat sat&word=1")
    table = page.get_by_role("table", name="cat reads")
    rows = table.get_by_role("row")
    assert rows.count() == 6
    for index, word in enumerate(("The", "cat", "sat")):
        row = rows.nth(2 + index)
        assert row.get_by_role("rowheader").text_content() == word
        assert row.get_by_role("cell").count() == 6
    weights = [
        float(rows.nth(2 + index).get_by_role("cell").nth(3).text_content() or "nan")
        for index in range(3)
    ]
    assert sum(weights) == pytest.approx(1, abs=0.02)

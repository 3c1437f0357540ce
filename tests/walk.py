"""Walk every page of the lesson by the Tab key, and write the presses into docs/quality.md.

python -m tests.walk
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.chromium import launch_options
from tests.language import with_section
from tests.pages import LESSON
from tests.serving import run_server

REPORT = Path(__file__).parent.parent / "docs" / "quality.md"
TITLE = "## By keyboard and by the accessibility tree"
MAX_PRESSES = 120
WINDOW = {"width": 1280, "height": 800}

PAGES = {
    "Home": "/",
    **{f"Step {number}": f"{LESSON}/{number}" for number in range(1, 8)},
    "End": f"{LESSON}/end",
    "Playground": "/playground",
}
QUESTION = "#predict .choices button"
MAP = "#lab figure svg.map"
NEXT = "#next .next-step, .home-actions .primary, #end p > a"

HEAD = """Written by `python -m tests.walk` on {day}, in {browser} with a window of 1280 × 800.
The numbers are presses of Tab from the top of the page. In brackets: presses with the skip
links, Enter included. Shift+→ leads to the next step at once. What is heard is the name that
the browser gives to a screen reader.

| Page | To the question | To the map | To the next step | What a screen reader hears at the map |
|---|---|---|---|---|
"""

TAIL = """
A longer walk was driven by a script on 2026-11-27, with keys alone. We read its announcements and
the accessibility tree. On each step it answered the question, changed word, head, layer and
model, opened and closed each
panel, followed links, answered the check, and moved on.

- **A group of buttons is one stop.** Arrow keys move inside it: words, heads, models, stages,
  panels, answers, and the table of all heads.
- **A map is one stop.** Arrow keys read its cells, for example “sat reads cat: 0.9536”. Enter
  explains a cell. Maps of scores and of differences have a name with their largest number.
- **After each press, one message says what changed:** the verdict with its reason, “Head 3
  chosen. sat reads down most, 0.98.”, “Causal mask on.”, “Every number: open.”. Buttons that only
  appear are not read. Another word is followed by “New question” and its text. While you type,
  the message waits a second.
- **Focus stays on the button that was pressed.** If that button is gone, it moves to the same
  part of the page. The verdict and an opened panel are in view.
- **Reading order is prose, question, lab, check, next step.** On wide screens the lab stands
  beside the prose; the order is the same.
- **Forced colours:** frames mark the current step, the chosen head, pressed buttons, right
  answers and marked heads. **Reduced motion:** no Play, no smooth scrolling. **Zoom of 200 %:**
  nothing scrolls sideways. **Print:** prose, question, verdict and maps, without controls.
"""


@dataclass(frozen=True)
class Walk:
    """Presses of Tab to the parts of a page, None for parts that it does not have.

    `skipping` are the presses with skip links.
    """

    to_question: int | None
    to_map: int | None
    to_next: int | None
    question_skipping: int | None
    map_skipping: int | None
    map_name: str


def stops(page: Page) -> Iterator[int]:
    """Press Tab until the focus leaves the page or starts again; yield the number of presses."""
    for presses in range(1, MAX_PRESSES):
        page.keyboard.press("Tab")
        is_done = page.evaluate(
            """() => {
                const element = document.activeElement;
                if (element === document.body || element.hasAttribute("data-walked")) return true;
                element.setAttribute("data-walked", "");
                return false;
            }"""
        )
        if is_done:
            return
        yield presses


def walk(page: Page, url: str) -> Walk:
    page.goto(url)
    found: dict[str, int] = {}
    for presses in stops(page):
        for selector in (QUESTION, MAP, NEXT):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                found.setdefault(selector, presses)
    focusable_map = page.locator(f'{MAP}[tabindex="0"], .home-heads svg.map').first
    return Walk(
        found.get(QUESTION),
        found.get(MAP),
        found.get(NEXT),
        _skipping(page, url, "#predict", QUESTION),
        _skipping(page, url, "#lab", MAP),
        focusable_map.get_attribute("aria-label") if focusable_map.count() else "",
    )


def _skipping(page: Page, url: str, target: str, selector: str) -> int | None:
    """Return the presses to an element by the skip link to `target`, with its Enter."""
    page.goto(url)
    link = page.locator(f'.skip-link[href="{target}"]')
    if not link.count() or not page.locator(selector).count():
        return None
    presses = 0
    while not link.evaluate("each => each === document.activeElement"):
        page.keyboard.press("Tab")
        presses += 1
    page.keyboard.press("Enter")
    presses += 1
    while not page.evaluate("selector => document.activeElement.matches(selector)", selector):
        page.keyboard.press("Tab")
        presses += 1
        if presses > MAX_PRESSES:
            return None
    return presses


def line(name: str, walked: Walk) -> str:
    """Return the row of one page in the table."""

    def presses(number: int | None, skipping: int | None = None) -> str:
        if number is None:
            return "–"
        return f"{number} ({skipping})" if skipping else str(number)

    cells = [
        name,
        presses(walked.to_question, walked.question_skipping),
        presses(walked.to_map, walked.map_skipping),
        presses(walked.to_next),
        f"“{walked.map_name}”" if walked.map_name else "–",
    ]
    return f"| {' | '.join(cells)} |\n"


def section() -> str:
    """Return the section of docs/quality.md about keyboard and screen readers."""
    with run_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_context(viewport=WINDOW, service_workers="block").new_page()
        lines = [line(name, walk(page, address + path)) for name, path in PAGES.items()]
        version = browser.version
    head = HEAD.format(day=date.today(), browser=f"Chromium {version}")
    return f"{TITLE}\n\n{head}{''.join(lines)}{TAIL}"


def main() -> None:
    report = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(with_section(report, section()), encoding="utf-8")


if __name__ == "__main__":
    main()

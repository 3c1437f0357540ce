"""The picture in README.md: step 1 as it is served.

python -m tests.screenshot
"""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.chromium import launch_options
from tests.conftest import STEP_1
from tests.serving import serving

PICTURE = Path(__file__).parent.parent / "docs" / "step-1.png"


def main() -> None:
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_page(viewport={"width": 1360, "height": 1130})
        page.goto(address + STEP_1)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()

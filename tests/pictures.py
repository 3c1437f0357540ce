"""Renew the pictures of Headwise: the screenshot in the README, and the card for social media.

python -m tests.pictures
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from playwright.sync_api import Browser, sync_playwright

from app.application import build_registry
from app.lesson import LabState, load_lessons
from app.lesson.selection import Selection
from app.picture import heatmap
from app.settings import Settings, site_folder
from app.web.static_files import static_url
from tests.chromium import launch_options
from tests.conftest import STEP_1
from tests.serving import run_server

ROOT = Path(__file__).parent.parent
SCREENSHOT = ROOT / "docs" / "step-1.png"
SOCIAL_CARD = ROOT / "static" / "social.png"
HEADS_ON_CARD = (2, 3)


def save_screenshot(browser: Browser, address: str) -> None:
    """Save a screenshot of step 1."""
    page = browser.new_page(viewport={"width": 1360, "height": 860})
    page.goto(address + STEP_1)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SCREENSHOT)


def save_social_card(browser: Browser, address: str) -> None:
    """Save a picture of the lesson's title next to two maps of its default sentence."""
    models = build_registry(Settings())
    lesson = load_lessons(site_folder("lessons"), models).lessons[0]
    defaults = lesson.steps[0].config.defaults
    model = models[defaults.model]
    sentence = model.tokenizer.sentence(defaults.text)
    selection = Selection(sentence, model, defaults.layer, defaults.head, defaults.word)
    view = LabState(selection, models)
    loader = FileSystemLoader(Path(__file__).parent)
    jinja = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    html = jinja.get_template("social.html").render(
        origin=address,
        static=f"{static_url(site_folder('static'))}/{{}}".format,
        lesson=lesson.config,
        maps=[(head, heatmap(view.maps[head], view.heatmap_layout)) for head in HEADS_ON_CARD],
    )
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.goto(address)  # a first visit fetches the fonts
    page.wait_for_load_state("networkidle")
    page.goto(f"{address}/healthz")
    page.set_content(html)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SOCIAL_CARD)


def main() -> None:
    with run_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        save_screenshot(browser, address)
        save_social_card(browser, address)


if __name__ == "__main__":
    main()

"""Whatever was done to a view, its address opens it again, bit for bit."""

import random

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON

N_ACTIONS = 20
LAB = "#lab-view"


def figure_markup(page):
    """Every map, plot and shaded sentence, to the letter."""
    figures = page.locator("#lab-view :is(svg, .strip)")
    return figures.evaluate_all("all => all.map((each) => each.outerHTML)")


@pytest.mark.parametrize("step", [1, 2, 5, 6])
def test_after_any_twenty_actions_a_reload_shows_the_same(page, server, step):
    page.goto(f"{server}{LESSON}/{step}?text=Birds+sing+at+dawn")
    chance = random.Random(step)  # noqa: S311
    for _ in range(N_ACTIONS):
        buttons = page.locator(f"{LAB} button:visible, #predict .choices button, #check button")
        chosen = chance.randrange(buttons.count())
        with page.expect_response(lambda response: f"{LESSON}/" in response.url):
            buttons.nth(chosen).click()
        expect(page.locator("#lab.htmx-request, .lab.is-busy")).to_have_count(0)
        page.wait_for_load_state("networkidle")
    before = figure_markup(page)
    page.goto(page.url)
    after = figure_markup(page)
    assert len(after) > 1
    assert after == before

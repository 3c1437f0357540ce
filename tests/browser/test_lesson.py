"""Learners on their way from step 1 to the end, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON, STEP_PATHS
from tests.serving import run_server
from tests.shipped import LESSONS

N_STEPS = sum(path.startswith(f"{LESSON}/") for path in STEP_PATHS)
STEP_4 = next(step for lesson in LESSONS for step in lesson.steps if step.number == 4)
RIGHT, WRONG = (
    next(f"#check-{each.id}" for each in STEP_4.config.check.options if each.right is right)
    for right in (True, False)
)
"""Buttons of the check of step 4."""
RIGHT_ID = RIGHT.removeprefix("#check-")
CHOICE = "headwise-h4"
"""An answer of the prediction of step 4."""

SENTENCE = "The old fox watched the river"
LONG = "and then the old fox watched the river " * 5


def press_until_focused(page, locator, key="Tab", max_presses=200):
    """Walks by keyboard to an element, as one without a mouse would."""
    for _ in range(max_presses):
        if locator.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError("the keyboard does not reach it")


def test_the_whole_lesson_by_keyboard_alone(page, step):
    page.goto(step)
    field = page.locator("#text")
    press_until_focused(page, field)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(SENTENCE)
    expect(page.locator("#word-1")).to_have_text("old")
    for number in range(1, N_STEPS + 1):
        expect(page.locator('.steps [aria-current="step"]')).to_have_text(str(number))
        expect(page.locator("#text")).to_have_value(SENTENCE)
        press_until_focused(page, page.locator("#predict .choices button").first)
        page.keyboard.press("Enter")
        expect(page.locator("#predict [data-outcome]")).to_be_visible()
        press_until_focused(page, page.locator("#check .options button").first)
        page.keyboard.press("Space")
        expect(page.locator("#check [data-outcome]")).to_be_visible()
        expect(page.locator(f'.steps a[data-step="{number}"]')).to_have_class("is-done")
        press_until_focused(page, page.locator("#next .next-step"))
        page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/end$"))
    expect(page.locator("#summary tbody tr")).to_have_count(N_STEPS)
    expect(page.locator("#summary tbody tr").last).to_contain_text("Heads in real models")
    expect(page.locator("#summary").get_by_text("not yet")).to_have_count(0)
    press_until_focused(page, page.locator("#rewrite"))
    page.keyboard.type("Several mixtures a row.")
    page.reload()
    expect(page.locator("#rewrite")).to_have_value("Several mixtures a row.")


def test_the_whole_lesson_without_scripts(browser, step):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(step)
    page.locator("#text").fill(SENTENCE)
    page.locator("#show").click()
    for _ in range(N_STEPS):
        expect(page.locator("#text")).to_have_value(SENTENCE)
        page.locator("#predict .choices button").first.click()
        expect(page.locator("#predict .reveal")).to_be_visible()
        page.locator("#check .options button").last.click()
        expect(page.locator("#check .reveal")).to_be_visible()
        expect(page.locator("#predict .reveal")).to_be_visible()
        page.locator("#next .next-step").click()
    expect(page).to_have_url(re.compile("/end$"))
    expect(
        page.get_by_text("A script in your browser keeps your answers. It has not run.")
    ).to_be_visible()


def test_the_whole_lesson_with_forty_tokens(page, step):
    page.goto(step)
    page.locator("#text").fill(LONG)
    for _ in range(N_STEPS):
        expect(page.locator("#lab-view")).to_contain_text("fox")
        expect(page.locator(".word-row button")).to_have_count(40)
        page.locator("#predict .choices button").last.click()
        expect(page.locator("#predict [data-outcome]")).to_be_visible()
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        page.locator("#next .next-step").click()
    expect(page.locator("#summary").get_by_text("not yet")).to_have_count(N_STEPS)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_pressing_a_cell_explains_it(page, server, number):
    page.goto(f"{server}/multi-head-attention/{number}?text=The+fox+ran+off&reveal=1")
    cells = page.locator("figure[data-head] svg.map .ground").first
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    expect(page.locator("#explained")).to_contain_text("ran (row 2) reads fox (column 1)")
    expect(page).to_have_url(re.compile(r"cell=2\.1"))
    page.locator("#open-explain").click()
    expect(page.locator("#explained")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("cell="))


def test_heads_are_switched_off_and_on_again(page, server):
    page.goto(f"{server}/multi-head-attention/5")
    page.locator("#off-0").click()
    expect(page.locator("#off-0")).to_have_attribute("aria-pressed", "false")
    page.locator("#off-2").click()
    expect(page).to_have_url(re.compile("off=0.0%2C0.2"))
    page.locator("#off-0").click()
    expect(page).to_have_url(re.compile(r"off=0\.2(&|$)"))
    expect(page.locator("#off-0")).to_have_attribute("aria-pressed", "true")


def result(page, number):
    """The cells of a step in the table of results: prediction, check, link."""
    return page.locator(f'#summary tr[data-step="{number}"] td')


def test_the_first_answer_counts_and_progress_can_be_reset(page, server):
    page.goto(f"{server}/multi-head-attention/4")
    page.locator(WRONG).click()
    expect(page.locator("#check [data-outcome]")).to_have_attribute("data-outcome", "wrong")
    page.locator(RIGHT).click()
    expect(page.locator("#check [data-outcome]")).to_have_attribute("data-outcome", "right")
    page.goto(f"{server}/multi-head-attention/end")
    expect(result(page, 4)).to_have_text(["not yet", "not right", "Try it again"])
    expect(result(page, 5)).to_have_text(["not yet", "not yet", "Try it"])
    again = page.get_by_role("link", name="Try it again")
    expect(again).to_have_attribute("href", re.compile("same-budget-thinner-heads"))
    page.locator("#reset-progress").click()
    expect(result(page, 4)).to_have_text(["not yet", "not yet", "Try it"])


def test_answers_in_a_link_do_not_count_as_the_learners(page, server):
    page.goto(f"{server}/multi-head-attention/4?predict={CHOICE}&check={RIGHT_ID}")
    expect(page.locator("#check [data-outcome]")).to_have_attribute("data-outcome", "right")
    # Another view of the same link has its answers still.
    page.locator("#unscaled").click()
    expect(page).to_have_url(re.compile("unscaled=1"))
    expect(page.locator("#check [data-outcome]")).to_be_visible()
    page.goto(f"{server}/multi-head-attention/end")
    expect(result(page, 4)).to_have_text(["not yet", "not yet", "Try it"])
    page.goto(f"{server}/multi-head-attention/4?predict={CHOICE}&check={RIGHT_ID}")
    page.locator(WRONG).click()
    expect(page.locator("#check [data-outcome]")).to_have_attribute("data-outcome", "wrong")
    page.goto(f"{server}/multi-head-attention/end")
    expect(result(page, 4)).to_have_text(["not yet", "not right", "Try it again"])


def test_progress_that_was_reset_is_not_handed_in(page):
    with run_server(HEADWISE_SECRET="a secret") as address:
        page.goto(f"{address}/multi-head-attention/4")
        page.locator(WRONG).click()
        expect(page.locator("#check [data-outcome]")).to_be_visible()
        page.goto(f"{address}/multi-head-attention/end")
        results = page.locator('#receipt [name="results"]')
        expect(results).to_have_value("4nw")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Make a line for your teacher").click()
        expect(page.locator("#line")).to_have_value(re.compile("4nw"))
        page.locator("#reset-progress").click()
        expect(page.locator("#receipt")).to_be_hidden()
        expect(results).to_have_value("")


def test_the_home_page_links_to_the_last_view(page, server):
    page.goto(f"{server}/multi-head-attention/3?text=Birds+sing")
    expect(page.locator("#steps")).to_be_visible()
    page.goto(server)
    page.get_by_text("Continue where you stopped").click()
    expect(page).to_have_url(re.compile(r"project-do-not-slice\?text=Birds\+sing"))


def test_the_summary_can_be_copied(page, server, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server}/multi-head-attention/4")
    page.locator(f"#predict-{CHOICE}").click()
    expect(page.locator("#predict [data-outcome]")).to_be_visible()
    page.locator(RIGHT).click()
    expect(page.locator("#check [data-outcome]")).to_be_visible()
    page.goto(f"{server}/multi-head-attention/end")
    page.locator("#copy-summary").click()
    expect(page.locator("#copy-summary")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search("4. Same budget, thinner heads: prediction (not )?right, check right", copied)

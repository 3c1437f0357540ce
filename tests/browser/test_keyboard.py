"""The page by keyboard alone: groups of buttons, focus after swaps, keys between steps, and what a
screen reader is told.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON, STEP_PATHS

TWO_FRAMES = """() => new Promise(
    (done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))
)"""


@pytest.fixture
def lab(page, server):
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer?text=The+old+fox+ran+off")
    return page


def focused_id(page):
    return page.evaluate("document.activeElement.id")


def test_a_group_of_buttons_is_one_tab_stop_with_arrow_keys_inside(lab):
    words = lab.locator(".word-row button")
    stops = words.evaluate_all("all => all.filter((each) => each.tabIndex === 0).length")
    assert stops == 1
    lab.locator("#word-1").focus()
    for key, word in (
        ("ArrowRight", 2),
        ("ArrowDown", 3),
        ("ArrowLeft", 2),
        ("ArrowUp", 1),
        ("End", 4),
        ("ArrowRight", 4),
        ("Home", 0),
        ("ArrowLeft", 0),
    ):
        lab.keyboard.press(key)
        assert focused_id(lab) == f"word-{word}", key
    lab.keyboard.press("Tab")
    assert not focused_id(lab).startswith("word-")
    lab.keyboard.press("Shift+Tab")
    assert focused_id(lab) == "word-0"


def test_after_a_swap_the_group_is_still_one_tab_stop_and_keeps_the_focus(lab):
    lab.locator("#word-1").focus()
    lab.keyboard.press("ArrowRight")
    lab.keyboard.press("Enter")
    expect(lab.locator("#word-2")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator("#word-2")).to_be_focused()
    lab.keyboard.press("ArrowRight")
    assert focused_id(lab) == "word-3"


def test_without_scripts_every_button_is_a_tab_stop(browser, server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    assert page.locator('.word-row button[tabindex="-1"]').count() == 0
    page.locator("#word-0").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#word-1")).to_be_focused()


# Presses every control of the lab in turn by the keyboard; after each swap something has the focus.
@pytest.mark.parametrize("path", STEP_PATHS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_no_press_of_a_control_loses_the_focus(page, server, path):
    page.goto(f"{server}{path}")
    ids = page.locator("#lab button[id]:visible, #predict button[id]").evaluate_all(
        "all => all.filter((each) => !each.disabled).map((each) => each.id)"
    )
    assert len(ids) > 5
    page.evaluate("""() => {
        window.swaps = 0;
        document.addEventListener("htmx:after:swap", () => { window.swaps += 1; });
    }""")
    lost = []
    for control in ids:
        if not page.locator(f"#{control}").count():
            continue
        before = page.evaluate("window.swaps")
        page.locator(f"#{control}").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("before => window.swaps > before", arg=before)
        page.evaluate(TWO_FRAMES)
        if page.evaluate("document.activeElement === document.body"):
            lost.append(control)
    assert lost == []


def test_tabbing_through_the_lab_never_loses_the_focus(lab):
    lab.locator("#text").focus()
    seen = []
    for _ in range(40):
        lab.keyboard.press("Tab")
        element = lab.evaluate(
            "[document.activeElement.tagName, !!document.activeElement.closest('.lab')]"
        )
        assert element[0] != "BODY"
        seen.append(element[1])
        if not element[1]:
            break
    assert seen.count(True) > 4
    assert not seen[-1]


def test_a_verdict_gets_the_focus_if_its_button_is_gone(lab):
    lab.locator("#reveal").focus()
    lab.keyboard.press("Enter")
    expect(lab.locator("#verdict")).to_be_visible()
    assert lab.evaluate("document.activeElement.closest('#predict') !== null"), (
        "the focus is in the prediction"
    )


def test_shift_and_an_arrow_key_lead_to_the_steps_beside(lab):
    lab.keyboard.press("Shift+ArrowRight")
    expect(lab).to_have_url(re.compile("project-do-not-slice"))
    expect(lab.locator("#text")).to_have_value("The old fox ran off")
    lab.keyboard.press("Shift+ArrowLeft")
    expect(lab).to_have_url(re.compile("rows-ask-columns-answer"))


def test_step_keys_leave_fields_alone_and_can_be_switched_off_for_good(lab, server):
    lab.locator("#text").focus()
    lab.keyboard.press("Shift+ArrowRight")
    lab.locator("#look summary").click()
    expect(lab.locator("#look")).to_contain_text("the next step")
    lab.locator('input[name="look-keys"][value="off"]').check()
    lab.keyboard.press("Escape")
    lab.reload()
    lab.keyboard.press("Shift+ArrowRight")
    lab.wait_for_timeout(200)
    expect(lab).to_have_url(re.compile("rows-ask-columns-answer"))
    lab.locator("#look summary").click()
    expect(lab.locator('input[name="look-keys"][value="off"]')).to_be_checked()


def test_the_last_step_leads_to_the_end_and_the_first_nowhere_back(page, server):
    page.goto(f"{server}{STEP_PATHS[0]}")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_timeout(200)
    expect(page).to_have_url(re.compile(STEP_PATHS[0]))
    page.goto(f"{server}{STEP_PATHS[-1]}")
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile("/end$"))


def test_steps_are_named_by_their_titles_with_their_state(page, server):
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer")
    link = page.locator('.steps a[data-step="3"]')
    expect(link).to_have_accessible_name("Project, don’t slice")
    current = page.locator('.steps [aria-current="step"]')
    expect(current).to_have_accessible_name("Rows ask, columns answer")
    page.locator("#predict .choices button").first.click()
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#check .options button").first.click()
    expect(current).to_have_accessible_name("Rows ask, columns answer, done")


class TestAnnouncements:
    @pytest.fixture
    def announced(self, lab):
        return lab.locator("#announce")

    def test_a_verdict_is_read_with_its_reason(self, lab, announced):
        lab.locator("#predict .choices button").first.click()
        expect(lab.locator("#verdict")).to_be_visible()
        verdict = re.sub(r"\s+", " ", lab.locator("#verdict").text_content()).strip()
        expect(announced).to_have_text(verdict)

    def test_a_switch_says_its_state(self, lab, announced):
        lab.locator("#causal").click()
        expect(announced).to_contain_text("Causal mask on.")
        lab.locator("#causal").click()
        expect(announced).to_contain_text("Causal mask off.")

    def test_a_chosen_head_says_what_it_reads(self, lab, announced):
        lab.locator("#lab-words #head-3").click()
        expect(announced).to_have_text(re.compile(r"^Head 3 chosen\. .* reads .* most"))

    def test_a_panel_says_that_it_is_open(self, lab, announced):
        lab.locator("#open-numbers").click()
        expect(announced).to_have_text("Every number: open.")
        lab.locator("#open-numbers").click()
        expect(announced).to_have_text("Every number: closed.")

    def test_a_head_that_is_switched_off_is_named(self, page, server):
        page.goto(f"{server}{LESSON}/concatenate-then-mix")
        page.locator('[id^="off-"]').nth(2).click()
        expect(page.locator("#announce")).to_contain_text("Head 2 off.")

    def test_a_problem_is_read(self, lab, announced):
        lab.locator("#text").fill("")
        expect(announced).to_contain_text("no word here yet")

    def test_typing_is_followed_by_one_announcement_after_a_second(self, lab, announced):
        lab.evaluate("""() => {
            window.said = [];
            const region = document.querySelector("#announce");
            new MutationObserver(() => window.said.push(region.textContent))
                .observe(region, { childList: true });
        }""")
        lab.locator("#text").fill("")
        lab.locator("#text").press_sequentially("Birds sing at dawn", delay=60)
        expect(lab.locator(".word-row button")).to_have_count(4)
        assert lab.evaluate("window.said") == []
        expect(announced).to_contain_text("most")
        lab.wait_for_timeout(300)
        assert len(lab.evaluate("window.said")) == 1


class TestStages:
    def pressed(self, page):
        return page.locator('[data-stages] [aria-pressed="true"]').get_attribute("id")

    def test_play_shows_each_stage_in_place_and_ends_with_the_weights(self, lab):
        lab.evaluate("""() => {
            window.stages = [];
            document.addEventListener("htmx:after:swap", () => {
                const pressed = document.querySelector('[data-stages] [aria-pressed="true"]');
                window.stages.push(pressed.value);
            });
        }""")
        length = lab.evaluate("history.length")
        lab.locator("[data-play]").click()
        expect(lab.locator("[data-play]")).to_have_text("Pause")
        lab.wait_for_function("() => window.stages.length === 4")
        expect(lab.locator("[data-play]")).to_have_text("Play")
        assert lab.evaluate("window.stages") == ["products", "scaled", "masked", ""]
        assert lab.evaluate("history.length") == length

    def test_another_press_pauses(self, lab):
        lab.locator("[data-play]").click()
        expect(lab.locator("#stage-products")).to_have_attribute("aria-pressed", "true")
        lab.locator("[data-play]").click()
        expect(lab.locator("[data-play]")).to_have_text("Play")
        lab.wait_for_timeout(1_800)
        assert self.pressed(lab) == "stage-products"
        lab.locator("[data-play]").click()
        expect(lab.locator("#stage-scaled")).to_have_attribute("aria-pressed", "true")
        lab.locator("#word-0").click()
        lab.wait_for_timeout(1_800)
        assert self.pressed(lab) == "stage-scaled"

    @pytest.mark.parametrize(
        "options", [{"reduced_motion": "reduce"}, {"java_script_enabled": False}]
    )
    def test_without_motion_or_scripts_there_is_the_switch_alone(self, browser, server, options):
        page = browser.new_context(**options).new_page()
        page.goto(f"{server}{LESSON}/rows-ask-columns-answer")
        expect(page.locator("[data-play]")).to_be_hidden()
        page.locator("#stage-scaled").click()
        expect(page.locator("#stage-scaled")).to_have_attribute("aria-pressed", "true")

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


def test_all_heads_are_one_tab_stop_with_rows_and_columns(page, server):
    page.goto(f"{server}{LESSON}/project-do-not-slice?open=heads&head=2")
    maps = page.locator("table.overview button")
    assert maps.evaluate_all("all => all.filter((each) => each.tabIndex === 0).length") == 1
    page.locator("#at-0-2").focus()
    for key, map_id in (("ArrowDown", "at-1-2"), ("ArrowRight", "at-1-3"), ("ArrowUp", "at-0-3")):
        page.keyboard.press(key)
        assert focused_id(page) == map_id


def test_the_four_models_are_one_tab_stop(page, server):
    page.goto(f"{server}{LESSON}/same-budget-thinner-heads")
    stops = page.locator(".model-cards button").evaluate_all("all => all.map((e) => e.tabIndex)")
    assert sorted(stops) == [-1, -1, -1, 0]


@pytest.mark.parametrize("path", STEP_PATHS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_skip_links_lead_to_the_prediction_and_to_the_lab(page, server, path):
    page.goto(f"{server}{path}")
    for presses, part in ((2, "#predict"), (3, "#lab")):
        page.goto(f"{server}{path}")
        for _ in range(presses):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate(f"document.activeElement.closest('{part}') !== null"), part


def test_the_scores_of_a_stage_have_a_name_a_cursor_and_a_table(page, server):
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer?predict=less&stage=masked&causal=1")
    scores = page.locator("#lab figure[data-head] svg.map").first
    expect(scores).to_have_accessible_name(re.compile("^Head 1, scores after the mask: .* best,"))
    scores.focus()
    page.keyboard.press("End")
    expect(page.locator("#announce")).to_contain_text("−∞")
    page.locator("#open-numbers").click()
    expect(page.locator("#panel table")).to_contain_text("−∞")


def test_maps_of_differences_are_named_by_the_largest(page, server):
    page.goto(f"{server}{LESSON}/project-do-not-slice?predict=0")
    maps = page.locator("#lab .small-map svg.map:not(.row-labels)")
    names = maps.evaluate_all("all => all.map((each) => each.getAttribute('aria-label'))")
    assert None not in names
    differences = [name for name in names if "after minus before" in name]
    assert len(differences) >= 8
    for name in differences:
        assert re.search(r"before: largest difference where \w+ reads \w+, [+−0]", name)


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

    def test_buttons_that_appear_with_a_panel_are_not_read_as_changes(self, lab, announced):
        lab.locator("#open-change").click()
        expect(announced).to_have_text("change: open.")

    def test_a_press_that_changes_nothing_says_what_the_head_reads(self, lab, announced):
        lab.locator("#open-change").click()
        expect(announced).to_have_text("change: open.")
        lab.locator("#layer-0").click()
        expect(announced).to_have_text(re.compile("reads .* most"))

    def test_the_step_s_own_model_is_a_choice_though_its_heads_are_others(self, lab, announced):
        lab.locator("#open-change").click()
        lab.locator("#model-headwise-h1").click()
        lab.locator("#own-model").click()
        expect(announced).to_contain_text("Heads 4 chosen.")
        assert not re.search(r"Head \d off", announced.text_content())

    def test_another_word_asks_anew_and_the_question_is_read(self, lab, announced):
        lab.locator("#predict .choices button").first.click()
        expect(lab.locator("#verdict")).to_be_visible()
        lab.locator("#word-1").click()
        expect(announced).to_contain_text("New question: The row of old adds up to 1.")

    def test_an_explained_cell_is_read_once_and_not_replaced_by_its_number(self, lab, announced):
        lab.locator("#word-1").click()
        expect(announced).to_contain_text("old chosen.")
        figure = lab.locator("#lab figure[data-head] svg.map").first
        figure.focus()
        for key in ("ArrowRight", "ArrowDown"):
            lab.keyboard.press(key)
        expect(announced).to_contain_text("old reads The: 0.")
        lab.keyboard.press("Enter")
        expect(lab.locator("#explained")).to_be_visible()
        lab.wait_for_timeout(300)
        expect(announced).to_contain_text("with the weight")
        expect(figure).to_be_focused()

    def test_a_comparison_says_where_the_heads_differ_most(self, page, server):
        page.goto(f"{server}{LESSON}/project-do-not-slice?open=compare&text=The+cat+sat+down")
        page.locator("#minus").select_option("headwise-h8.0")
        expect(page.locator("#announce")).to_have_text(
            re.compile("minus head 0 of headwise-h8: largest difference where .* reads")
        )

    def test_a_link_to_a_part_of_the_figure_says_what_stands_there(self, lab, announced):
        lab.locator('a[data-light="scores"]').first.click()
        expect(announced).to_contain_text("in the figure: q · k; ÷ √32;")
        lab.locator('a[data-light="query"]').first.click()
        expect(announced).to_contain_text("query, 32 numbers")

    def test_home_says_what_the_head_reads_after_typing(self, page, server):
        page.goto(server)
        page.locator("#text").fill("Birds sing at dawn")
        expect(page.locator("#announce")).to_contain_text("reads", timeout=5_000)

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

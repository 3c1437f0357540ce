"""What people do with checkpoints."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.conftest import STEP_1
from tests.pages import LESSON


@pytest.fixture
def lab(page, checkpoint_server):
    page.goto(f"{checkpoint_server}{STEP_1}")
    return page


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_checkpoint_is_chosen_and_left_again_keeping_the_sentence(lab):
    lab.locator("#text").fill("Birds sing at dawn")
    expect(lab.locator("#word-3")).to_have_text("dawn")
    lab.locator("#open-change").click()
    lab.locator("#source-checkpoint").click()
    expect(lab.locator("#source-checkpoint")).to_have_attribute("aria-pressed", "true")
    lab.locator("#model-llama").click()
    expect(lab.locator("#model-llama")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator(".provenance")).to_contain_text("llama · checkpoint · layer 0")
    expect(lab.locator("#text")).to_have_value("Birds sing at dawn")
    assert query_of(lab)["model"] == "llama"
    lab.locator("#source-trained").click()
    expect(lab.locator(".provenance")).to_contain_text("headwise-h4")


def test_special_tokens_are_hidden_and_shown_again(lab, checkpoint_server):
    lab.goto(f"{checkpoint_server}{LESSON}/2?model=bert&open=change&reveal=1")
    labels = lab.locator("[data-head] svg.map text.key")
    label_texts = labels.all_text_contents()
    assert (label_texts[0], label_texts[-1]) == ("[CLS]", "[SEP]")
    lab.locator("#hide").click()
    expect(lab.locator("#hide")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator(".word-button.is-special")).to_have_count(0)
    assert "[CLS]" not in lab.locator("[data-head] svg.map text.key").all_text_contents()
    lab.go_back()
    expect(lab.locator("#hide")).to_have_attribute("aria-pressed", "false")
    expect(lab.locator(".word-button.is-special")).to_have_count(2)


def test_a_pressed_cell_is_explained_while_special_tokens_are_hidden(lab, checkpoint_server):
    lab.goto(f"{checkpoint_server}{LESSON}/2?model=bert&hide=1&reveal=1")
    ground = lab.locator("figure[data-head] svg.map .ground").last
    ground.scroll_into_view_if_needed()
    box = ground.bounding_box()
    n = lab.locator("figure[data-head] svg.map text.query").count()
    cell = box["width"] / n
    lab.mouse.click(box["x"] + 1.5 * cell, box["y"] + 0.5 * cell)
    expect(lab.locator("#explained")).to_contain_text("Special tokens are hidden")
    explanation = lab.locator("#explained p").first.inner_text()
    assert "(row 0)" in explanation
    assert "(column 1)" in explanation


def test_pressing_a_thumbnail_of_any_layer_enlarges_it(lab):
    lab.goto(f"{lab.url}?model=bert&open=heads")
    lab.locator("#at-2-3").click()
    expect(lab.locator("#at-2-3")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator(".provenance")).to_contain_text("layer 2")
    expect(lab.locator("#lab-words #head-3")).to_have_attribute("aria-pressed", "true")
    assert (query_of(lab)["layer"], query_of(lab)["head"]) == ("2", "3")


def test_a_deep_model_chooses_among_its_layers(lab, checkpoint_server):
    lab.goto(f"{checkpoint_server}{LESSON}/5?model=deep&open=change")
    lab.locator("#layer").select_option("13")
    expect(lab.locator(".provenance")).to_contain_text("deep · checkpoint · layer 13")
    assert query_of(lab)["layer"] == "13"


def test_all_of_it_works_without_scripts(browser, checkpoint_server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{checkpoint_server}{LESSON}/5?model=deep&text=Birds+sing+at+dawn&open=change")
    page.locator("#layer").select_option("9")
    page.get_by_role("button", name="Choose").click()
    expect(page.locator(".provenance")).to_contain_text("deep · checkpoint · layer 9")
    page.locator("#hide").click()
    expect(page.locator("#hide")).to_have_attribute("aria-pressed", "true")
    page.locator("#open-heads").click()
    page.locator("#at-3-1").click()
    expect(page.locator(".provenance")).to_contain_text("deep · checkpoint · layer 3")
    expect(page.locator("#text")).to_have_value("Birds sing at dawn")
    assert re.search(r"layer=3", page.url)


def test_a_prediction_about_a_checkpoint_is_made_and_revealed(lab):
    lab.goto(f"{lab.url}?model=gpt2")
    lab.locator("#predict button").first.click()
    expect(lab.locator("#predict .reveal")).to_be_visible()
    expect(lab.locator("#predict")).to_contain_text("gpt2")
    assert query_of(lab)["model"] == "gpt2"

"""The code of a step is read on the page, and copied or downloaded with the numbers of the view."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON
from tests.shipped import LESSONS

STEP = f"{LESSON}/rows-ask-columns-answer"


@pytest.fixture
def code(page, server):
    """The opened code of step 2."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server}{STEP}")
    details = page.locator("#code")
    page.evaluate(
        "document.querySelectorAll('article details').forEach((each) => { each.open = true; })"
    )
    return details


def test_the_code_is_on_the_page_without_numbers(code):
    step = next(step for lesson in LESSONS for step in lesson.steps if STEP.endswith(step.slug))
    assert code.locator("pre").inner_text().strip() == step.code.lines.strip()


def test_the_code_is_copied_with_the_numbers_of_the_sentence(code, page):
    page.locator("#text").fill("Birds sing at dawn")
    expect(code.locator("#code-file")).to_have_attribute("href", re.compile("text=Birds"))
    code.get_by_role("button", name="Copy it with the numbers").click()
    expect(code.locator("#copy-code")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "# sentence: 'Birds sing at dawn'" in copied
    assert "weights = softmax(scores)" in copied


def test_a_swap_leaves_the_code_open(code, page):
    page.locator("#word-2").click()
    expect(code.locator("#code-file")).to_have_attribute("href", re.compile("word=2"))
    expect(code.locator("pre")).to_be_visible()


def test_without_scripts_the_code_is_downloaded(browser, server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}{STEP}")
    assert page.locator("#copy-code").is_hidden()
    assert page.locator("#code-file").get_attribute("download") is not None


def test_without_scripts_a_term_shows_its_definition(browser, server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}{STEP}")
    term = page.locator("article a.term").first
    definition = page.locator(f"{term.get_attribute('href')} dd")
    assert definition.is_hidden()
    term.click()
    expect(definition).to_be_visible()

"""An instructor makes a link, a learner follows it and hands in a line."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON
from tests.serving import run_server


@pytest.fixture(scope="module")
def signing_server():
    with run_server(HEADWISE_SECRET="a secret") as address:
        yield address


def test_the_link_and_its_preview_follow_the_form(page, signing_server):
    page.goto(f"{signing_server}/assign")
    page.get_by_label("Step", exact=True).select_option(label="5. Concatenate, then mix")
    page.get_by_role("textbox", name="Sentence").fill("Birds sing at dawn")
    page.get_by_label("A note for the learner").fill("Which head writes most?")
    page.get_by_role("checkbox", name="layer").check()
    expect(page.locator(".assignment-preview .map").first).to_be_visible()
    link = page.locator("#assigned-link")
    expect(link).to_have_value(re.compile(r"concatenate-then-mix\?text=Birds.*task="))
    expect(page.locator(".assignment")).to_have_text("Which head writes most?")
    expect(page.locator(".assignment-preview figure.head .key").first).to_have_text("Birds")
    page.goto(f"{link.input_value()}&open=change")
    expect(page.locator(".assignment")).to_contain_text("Which head writes most?")
    expect(page.locator("#layer-1")).to_be_disabled()
    page.locator("#head-2").click()
    expect(page).to_have_url(re.compile("head=2.*task="))


def test_answers_become_a_line_to_hand_in(page, signing_server):
    page.goto(f"{signing_server}{LESSON}/1")
    page.locator("#predict-3").click()
    expect(page.locator("#predict .reveal")).to_be_visible()
    page.locator("#check-sum").click()
    expect(page.locator("#check .reveal")).to_be_visible()
    page.goto(f"{signing_server}{LESSON}/end")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Make a line").click()
    line = page.get_by_label("Line for your teacher")
    expect(line).to_have_value(re.compile(r"multi-head-attention · 1rr · Ada · \w{4}-\w{4}-\w{4}"))
    handed_in = line.input_value()
    page.goto(f"{signing_server}/assign/codes")
    page.get_by_label("Lines from learners", exact=True).fill(handed_in)
    page.get_by_role("button", name="Check them").click()
    expect(page.get_by_role("cell", name="made by this server")).to_have_count(1)

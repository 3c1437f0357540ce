"""Answers that are not ours, slow answers, and many changes at once, in a real browser."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON

FRAGMENTS = re.compile(r"\?.*edit=1")
"""Addresses of the requests that swap the lab."""


@pytest.fixture
def lab(browser, server):
    """The page of a step; what scripts report about failed requests is no error here."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(f"{server}{LESSON}/rows-ask-columns-answer?text=The+old+fox+ran+off")
    yield page
    context.close()


def state_of(page):
    """Everything that a failed request must leave alone."""
    return page.evaluate(
        """() => ({
            lab: document.querySelector("#lab-view").innerHTML,
            words: document.querySelector("#lab-words").textContent,
            prediction: document.querySelector("#predict").textContent,
            steps: document.querySelector("#steps").textContent,
            title: document.title,
            address: location.href,
        })"""
    )


def without_fields(state):
    """The same without hidden fields, which remember what was pressed."""
    return state | {"lab": re.sub(r'<input type="hidden"[^>]*>', "", state["lab"])}


PROXY_ERROR = {
    "status": 502,
    "content_type": "text/html",
    "body": "<html><body><h1>502 Bad Gateway</h1></body></html>",
}
SIGN_IN = {
    "status": 200,
    "content_type": "text/html",
    "body": "<title>Sign in</title><div id='lab-view'><form>Sign in</form></div>",
}
OTHERS_ANSWERS = {
    "a proxy's 502": PROXY_ERROR,
    "a sign-in page": SIGN_IN,
    "uvicorn's 400": {
        "status": 400,
        "content_type": "text/plain",
        "body": "Invalid HTTP request received.",
    },
    "nothing": {"status": 200, "body": ""},
    "nothing of ours": {"status": 200, "headers": {"Headwise": "1"}, "body": ""},
    "a redirect to another site": {
        "status": 302,
        "headers": {"Location": "https://sign-in.example/"},
    },
}


@pytest.mark.parametrize("kind", OTHERS_ANSWERS)
def test_an_answer_that_is_not_ours_changes_nothing_and_can_be_tried_again(lab, kind):
    before = state_of(lab)
    lab.route(FRAGMENTS, lambda route: route.fulfill(**OTHERS_ANSWERS[kind]))
    lab.locator("#word-3").click()
    expect(lab.locator("#trouble")).to_be_visible()
    expect(lab.locator("#announce")).to_contain_text("The server does not answer.")
    assert without_fields(state_of(lab)) == without_fields(before)
    expect(lab.locator("#text")).to_have_value("The old fox ran off")
    lab.locator("#trouble button").click()
    expect(lab.locator("#trouble")).to_be_visible()
    lab.unroute(FRAGMENTS)
    lab.locator("#trouble button").click()
    expect(lab.locator("#word-3")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator("#trouble")).to_be_hidden()
    expect(lab).to_have_url(re.compile("word=3"))


def test_a_dropped_connection_changes_nothing(lab):
    before = state_of(lab)
    lab.route(FRAGMENTS, lambda route: route.abort())
    lab.locator("#text").fill("Birds sing")
    expect(lab.locator("#trouble")).to_be_visible()
    assert without_fields(state_of(lab)) == without_fields(before)
    expect(lab.locator("#text")).to_have_value("Birds sing")
    lab.unroute(FRAGMENTS)
    lab.locator("#trouble button").click()
    expect(lab.locator("#word-0")).to_have_text("Birds")
    expect(lab.locator("#text")).to_be_focused()


def test_after_trouble_an_assignment_is_still_kept(lab, server):
    lab.goto(f"{server}{LESSON}/rows-ask-columns-answer?model=headwise-h8&layer=1&head=5&v=1")
    lab.route(FRAGMENTS, lambda route: route.fulfill(**SIGN_IN))
    lab.locator("#word-0").click()
    expect(lab.locator("#trouble")).to_be_visible()
    lab.unroute(FRAGMENTS)
    lab.locator("#trouble button").click()
    expect(lab.locator("#word-0")).to_have_attribute("aria-pressed", "true")
    query = parse_qs(urlsplit(lab.url).query)
    assert (query["model"], query["layer"], query["head"]) == (["headwise-h8"], ["1"], ["5"])
    assert query["v"] == ["1"]


def test_a_page_that_the_history_cannot_restore_is_loaded_again(lab):
    lab.locator("#word-3").click()
    expect(lab).to_have_url(re.compile("word=3"))
    lab.locator("#word-1").click()
    expect(lab).to_have_url(re.compile("word=1"))
    lab.route("**/*word=3*", lambda route: route.fulfill(**PROXY_ERROR))
    lab.go_back()
    expect(lab.locator("#trouble")).to_be_visible()
    expect(lab.locator("h1")).to_have_text("Rows ask, columns answer")
    lab.unroute("**/*word=3*")
    lab.locator("#trouble button").click()
    expect(lab.locator("#word-3")).to_have_attribute("aria-pressed", "true")


class HeldRequests:
    """Requests of the lab, answered only when the test says so."""

    def __init__(self, page):
        self.page, self.routes = page, []
        page.route(FRAGMENTS, self.hold)

    def hold(self, route):
        self.routes.append(route)

    def wait_for(self, count):
        for _ in range(100):
            if len(self.routes) >= count:
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{len(self.routes)} requests, not {count}")

    def texts(self):
        return [parse_qs(urlsplit(each.request.url).query)["text"][0] for each in self.routes]


def test_while_typing_on_a_slow_network_intermediate_sentences_are_shown(lab):
    held = HeldRequests(lab)
    field = lab.locator("#text")
    field.fill("Birds")
    held.wait_for(1)
    field.fill("Birds sing")
    lab.wait_for_timeout(150)
    field.fill("Birds sing softly")
    lab.wait_for_timeout(150)
    # One request at a time; the answer to the first shows although the text has moved on.
    assert held.texts() == ["Birds"]
    held.routes[0].continue_()
    expect(lab.locator(".word-row button")).to_have_text(["Birds"])
    expect(field).to_have_value("Birds sing softly")
    held.wait_for(2)
    assert held.texts() == ["Birds", "Birds sing softly"]
    held.routes[1].continue_()
    expect(lab.locator(".word-row button")).to_have_text(["Birds", "sing", "softly"])
    assert len(held.routes) == 2


def test_sentences_appear_in_the_order_in_which_they_were_typed(lab):
    lab.evaluate("""() => {
        window.shown = [];
        document.addEventListener("htmx:after:swap", () => {
            window.shown.push(document.querySelectorAll(".word-row button").length);
        });
    }""")
    delays = iter([400, 50, 300, 10, 200, 0, 100])

    def delay(route):
        lab.wait_for_timeout(next(delays, 0))
        route.continue_()

    lab.route(FRAGMENTS, delay)
    field = lab.locator("#text")
    field.fill("")
    field.press_sequentially("a b c d e f g h", delay=90)
    expect(lab.locator(".word-row button")).to_have_count(8)
    shown = [count for count in lab.evaluate("window.shown") if count]
    assert shown == sorted(shown)
    assert len(shown) > 1


def test_what_is_pressed_while_typing_is_not_lost(lab):
    held = HeldRequests(lab)
    lab.locator("#text").fill("The old fox ran away today")
    held.wait_for(1)
    lab.locator("#lab-words #head-3").click()
    lab.locator("#open-numbers").click()
    held.routes[0].continue_()
    held.wait_for(2)
    held.routes[1].continue_()
    expect(lab.locator("#lab-words #head-3")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator("#open-numbers")).to_have_attribute("aria-expanded", "true")
    expect(lab.locator(".word-row button")).to_have_count(6)
    expect(lab).to_have_url(re.compile(r"text=The\+old\+fox\+ran\+away\+today&.*head=3"))
    assert len(held.routes) == 2


def test_presses_that_follow_each_other_on_a_slow_network_all_count(lab):
    held = HeldRequests(lab)
    lab.locator("#lab-words #head-3").click()
    held.wait_for(1)
    lab.locator("#word-1").click()
    lab.locator("button[name=causal]").click()
    held.routes[0].continue_()
    held.wait_for(2)
    held.routes[1].continue_()
    for button in ("#lab-words #head-3", "#word-1", "button[name=causal]"):
        expect(lab.locator(button)).to_have_attribute("aria-pressed", "true")


def test_a_slow_response_is_indicated_and_the_old_maps_stay(lab):
    before = state_of(lab)
    held = HeldRequests(lab)
    lab.locator("#lab-words #head-3").click()
    expect(lab.locator(".lab")).to_have_attribute("aria-busy", "true")
    assert without_fields(state_of(lab)) == without_fields(before)
    (response,) = held.routes
    response.continue_()
    expect(lab.locator("#lab-words #head-3")).to_have_attribute("aria-pressed", "true")
    expect(lab.locator(".lab")).to_have_attribute("aria-busy", "false")

"""A lab in a frame of another site's page."""

import re
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import expect

from app.web.rendering.embed import iframe_html
from tests.pages import LESSON
from tests.serving import run_server

STEP = f"{LESSON}/why-one-head-is-not-enough"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def another_site(folder):
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))
    ) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def embedding_page(tmp_path, browser):
    """A page of another site that embeds a lab; gives the page and the frame's content."""
    with another_site(tmp_path) as parent, run_server(HEADWISE_EMBED_ORIGINS=parent) as address:
        source = f"{address}{STEP}?text=Birds+sing&embed=1"
        (tmp_path / "page.html").write_text(
            f"<!doctype html><title>A page</title>{iframe_html(source, 'A lab', height=50)}"
        )
        context = browser.new_context(service_workers="block")
        page = context.new_page()
        page.goto(f"{parent}/page.html")
        yield page, page.frame_locator("iframe")
        context.close()


def test_an_embedded_lab_works_and_reports_its_height(embedding_page):
    page, lab = embedding_page
    expect(lab.locator("svg.map").first).to_be_visible()
    before = page.locator("iframe").bounding_box()["height"]
    assert before > 300
    lab.get_by_label("Your sentence").fill("Birds sing at dawn and fall silent in the afternoon")
    expect(lab.locator(".word-row button")).to_have_count(10)
    expect(page.locator("iframe")).not_to_have_css("height", f"{before}px")
    assert page.context.cookies() == []


def test_links_out_of_an_embedded_lab_open_in_a_new_tab(embedding_page):
    page, lab = embedding_page
    lab.locator("#open-files").click()
    with page.context.expect_page() as waiting:
        lab.get_by_role("link", name="Handout with blanks").click()
    expect(waiting.value.locator("h1").first).to_be_visible()
    lab.locator("#open-numbers").click()
    expect(lab.locator("#panel table")).to_be_visible()
    expect(lab.locator("svg.map").first).to_be_visible()
    assert len(page.context.pages) == 2


def test_a_site_that_is_not_allowed_cannot_embed_a_lab(tmp_path, server, browser):
    with another_site(tmp_path) as parent:
        (tmp_path / "page.html").write_text(iframe_html(f"{server}{STEP}?embed=1", "A lab"))
        page = browser.new_page()
        with page.expect_event(
            "console", lambda told: re.search("frame-ancestors|X-Frame-Options", told.text)
        ):
            page.goto(f"{parent}/page.html")
        expect(page.frame_locator("iframe").locator("svg.map")).to_have_count(0)
        page.close()

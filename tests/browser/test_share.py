"""A view is taken away: links, pictures, files."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.pages import LESSON


@pytest.fixture
def share_page(browser, server):
    """A page whose link may be put into the clipboard, its panel open."""
    context = browser.new_context(
        permissions=["clipboard-read", "clipboard-write"], service_workers="block"
    )
    page = context.new_page()
    page.goto(f"{server}{LESSON}/why-one-head-is-not-enough?text=Birds+sing")
    page.locator("#open-files").click()
    page.locator("#share-link").wait_for()
    yield page
    context.close()


def first_map_markup(page):
    return page.locator("#lab-view svg.map").first.evaluate("each => each.outerHTML")


def test_a_link_is_copied_and_opens_the_same_view(share_page, server):
    share_page.locator("#lab-words #head-3").click()
    expect(share_page.locator("#share-link")).to_have_value(re.compile("head=3"))
    share_page.locator('[data-copy="share-link"]').click()
    expect(share_page.locator("#announce")).to_have_text("Copied")
    link = share_page.evaluate("navigator.clipboard.readText()")
    assert (
        link == f"{server}{LESSON}/why-one-head-is-not-enough?text=Birds+sing&head=3&open=files&v=2"
    )
    map_before = first_map_markup(share_page)
    share_page.goto(link)
    assert first_map_markup(share_page) == map_before


def test_the_panel_stays_open_and_follows_the_view(share_page):
    share_page.locator("#word-1").click()
    expect(share_page.locator("#share-link")).to_have_value(re.compile("word=1"))
    expect(share_page.locator("#open-files")).to_have_attribute("aria-expanded", "true")
    expect(share_page.locator("#share-nameless")).not_to_have_value(re.compile("Birds"))


def test_the_qr_code_is_fetched_only_when_visible(page, server):
    fetched = []

    def note(request):
        fetched.append(request.url)

    page.on("request", note)
    page.goto(f"{server}{LESSON}/1?text=Birds+sing")
    page.wait_for_load_state("networkidle")
    assert not any("qr.svg" in url for url in fetched)
    page.locator("#open-files").click()
    code = page.get_by_role("img", name="QR code")
    code.scroll_into_view_if_needed()
    expect(code).to_have_js_property("complete", True)
    assert code.evaluate("each => each.naturalWidth") > 100
    assert any("qr.svg" in url for url in fetched)


def test_files_use_the_colour_scale_of_the_page(share_page):
    share_page.goto(f"{share_page.url}&reveal=1")
    share_page.get_by_text("Look", exact=True).click()
    share_page.get_by_label("greys").check()
    share_page.keyboard.press("Escape")
    with share_page.expect_download() as waiting:
        share_page.get_by_role("link", name="SVG").first.click()
    assert "heat=greys" in waiting.value.url
    with share_page.expect_download() as waiting:
        share_page.get_by_role("link", name="Script, notebook and all they need").click()
    assert waiting.value.suggested_filename == "headwise-h4-layer0-head2-reproduce.zip"
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.testzip() is None


def test_a_picture_too_large_to_draw_shows_a_visible_error(page, server):
    page.goto(
        f"{server}{LESSON}/1?text={'the+' * 36}&model=headwise-h8&show=grid&reveal=1&open=files"
    )
    with page.expect_download():
        page.get_by_role("link", name="PNG 1×").first.click()
    page.get_by_role("link", name="PNG 4×").first.click()
    expect(page.locator("main")).to_contain_text("Choose a smaller scale, one head")


PAINTED_COLOURS = """selector => Array.from(document.querySelectorAll(selector), (each) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const style = getComputedStyle(each);
    return [style.fill, style.stroke].map((colour) => {
        if (colour === "none") return null;
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return Array.from(canvas.getImageData(0, 0, 1, 1).data);
    });
})"""
COLOURED_ELEMENTS = ":is(text, path, rect:not(.paper))"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("heat", ["default", "viridis"])
def test_an_exported_picture_has_the_colours_of_the_page(browser, server, theme, heat):
    context = browser.new_context(color_scheme=theme, service_workers="block")
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('headwise:look', '{{\"heat\": \"{heat}\"}}')")
    address = f"{server}{LESSON}/concatenate-then-mix"
    page.goto(f"{address}?reveal=1")
    on_page = page.evaluate(PAINTED_COLOURS, f"figure[data-head] svg.map {COLOURED_ELEMENTS}")
    file = page.request.get(f"{address}/export/map.svg?theme={theme}&heat={heat}&reveal=1").text()
    context.close()
    page = browser.new_page()
    page.set_content(file)
    in_file = page.evaluate(PAINTED_COLOURS, f"svg {COLOURED_ELEMENTS}")
    page.close()
    assert len(in_file) == len(on_page) > 20
    for file_colours, page_colours in zip(in_file, on_page, strict=True):
        for file_colour, page_colour in zip(file_colours, page_colours, strict=True):
            assert (file_colour is None) == (page_colour is None)
            if file_colour:
                assert max(abs(a - b) for a, b in zip(file_colour, page_colour, strict=True)) <= 2

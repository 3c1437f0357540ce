"""Where no server answers, a page of our own says so."""

from playwright.sync_api import expect

from tests.pages import LESSON


def test_a_link_without_a_connection_shows_a_page_to_try_again(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server}{LESSON}/1?text=Birds+sing")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    context.set_offline(True)
    page.locator(".steps a").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The server cannot be reached")
    family = page.locator("h1").evaluate("each => getComputedStyle(each).fontFamily")
    assert "Source Serif" in family
    context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rows ask, columns answer")
    expect(page.get_by_label("Your sentence")).to_have_value("Birds sing")
    context.close()


def test_the_service_worker_caches_nothing_that_was_typed(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server}{LESSON}/1?text=Birds+sing")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.goto(f"{server}{LESSON}/2?text=Birds+sing")
    cached_urls = page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys())
                for (const each of await (await caches.open(name)).keys()) found.push(each.url);
            return found;
        }"""
    )
    assert any(address.endswith("/offline") for address in cached_urls)
    assert not any("text=" in address or LESSON in address for address in cached_urls)
    context.close()

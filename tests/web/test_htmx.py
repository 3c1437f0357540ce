import pytest
from starlette.requests import Request

from app.web.htmx import HtmxDetails, htmx_details


def request_from(address):
    return Request({"type": "http", "headers": [(b"hx-current-url", address.encode())]})


def test_the_current_page_is_known_by_path_and_query():
    assert htmx_details(request_from("http://a.example/b?c=d")).current_path_and_query == "/b?c=d"


@pytest.mark.parametrize("address", ["http://[", "http://[x]/", "//[::1"])
def test_an_invalid_current_url_is_no_page(address):
    assert htmx_details(request_from(address)).current_path_and_query == ""


@pytest.mark.parametrize("path", ["/nowhere", "/multi-head-attention/1", "/assign"])
def test_no_page_fails_on_an_invalid_current_url(client, path):
    assert client.get(path, headers={"HX-Current-URL": "http://["}).status_code < 500


@pytest.mark.parametrize(
    ("is_partial", "is_typing", "current", "headers"),
    [
        (False, False, "/old", {}),
        (False, True, "/old", {}),
        (True, False, "/old", {"HX-Push-Url": "/new"}),
        (True, True, "/old", {"HX-Replace-Url": "/new"}),
        (True, False, "/new", {"HX-Replace-Url": "/new"}),
    ],
)
def test_a_fragment_adds_a_url_unless_it_stays_or_is_being_typed(
    is_partial, is_typing, current, headers
):
    assert HtmxDetails(is_partial, is_typing, current).history_headers("/new") == headers


def test_a_fragment_differs_from_a_page_and_typing_from_a_press():
    def details(**headers):
        pairs = [(name.replace("_", "-").encode(), each.encode()) for name, each in headers.items()]
        return htmx_details(Request({"type": "http", "headers": pairs}))

    assert not details().is_partial
    assert details(hx_request_type="partial").is_partial
    assert not details(hx_request_type="full").is_partial
    assert details(hx_source="input#text").is_typing
    assert not details(hx_source="button#word-1").is_typing

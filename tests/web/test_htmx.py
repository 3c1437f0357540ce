import pytest
from starlette.requests import Request

from app.web.htmx import htmx_details


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

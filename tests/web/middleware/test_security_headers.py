import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from app.web.middleware.security_headers import (
    EMBEDDABLE_HEADER,
    SECURITY_HEADERS,
    SecurityHeadersMiddleware,
)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/multi-head-attention/1", 307),
        ("/multi-head-attention/why-one-head-is-not-enough?model=h3", 422),
        ("/nowhere", 404),
        ("/api/v1/models", 200),
        ("/api/v1/attention", 422),
        ("/healthz", 200),
        ("/openapi.json", 200),
        (f"/?{'a' * 40_000}", 414),
    ],
)
def test_every_response_carries_the_headers(client, path, status):
    response = client.get(path)
    assert response.status_code == status
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value
    assert response.headers["Headwise"] == "1"


def test_the_headers_are_these():
    assert SECURITY_HEADERS == {
        "Headwise": "1",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def test_static_files_carry_the_headers_and_are_cacheable(client):
    html = client.get("/").text
    address = html.split('rel="stylesheet" href="')[1].split('"')[0]
    response = client.get(address)
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


def headers_of(response, embed_origins=()):
    """The headers of a response behind the middleware."""
    return TestClient(SecurityHeadersMiddleware(response, embed_origins)).get("/").headers


def test_headers_that_a_response_sets_itself_stay():
    response = PlainTextResponse("a", headers={"Referrer-Policy": "origin"})
    headers = headers_of(response)
    assert headers.get_list("referrer-policy") == ["origin"]
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("embed_origins", "is_embeddable", "ancestors"),
    [
        ((), False, "'none'"),
        ((), True, "'none'"),
        (("https://a.example", "https://b.example"), False, "'none'"),
        (("https://a.example", "https://b.example"), True, "https://a.example https://b.example"),
    ],
)
def test_only_an_embeddable_response_may_be_framed_by_the_allowed_origins(
    embed_origins, is_embeddable, ancestors
):
    embeddable = {EMBEDDABLE_HEADER: "1"} if is_embeddable else {}
    headers = headers_of(PlainTextResponse("a", headers=embeddable), embed_origins)
    assert headers["content-security-policy"].endswith(f"frame-ancestors {ancestors}")
    assert ("x-frame-options" in headers) == (ancestors == "'none'")
    assert EMBEDDABLE_HEADER not in headers

import logging

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web import pages
from app.web.security import HEADERS, WithoutQuery

TYPED = "xylophone"


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
    ],
)
def test_every_response_carries_the_headers(client, path, status):
    response = client.get(path)
    assert response.status_code == status
    for name, value in HEADERS.items():
        assert response.headers[name] == value


def test_the_policy_allows_nothing_inline():
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_static_files_carry_the_headers_and_may_be_kept(client):
    html = client.get("/").text
    address = html.split('rel="stylesheet" href="')[1].split('"')[0]
    response = client.get(address)
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/api/v1/attention"])
def test_an_address_that_is_too_long_is_refused(client, path):
    response = client.get(f"{path}?text={'a' * 20_000}")
    assert response.status_code == 414
    assert "16,384 bytes" in response.text
    assert response.headers["content-security-policy"]


def test_a_large_body_is_refused_unread(client):
    response = client.post("/healthz", content=b"x" * 10_000_000)
    assert response.status_code == 413
    assert response.headers["content-security-policy"]


def test_a_large_body_without_a_length_is_refused_or_never_read(client):
    chunks = (b"x" * 65_536 for _ in range(160))
    response = client.request("GET", "/healthz", content=chunks)
    assert response.status_code in (200, 413)


def test_limits_can_be_set():
    small = TestClient(create_app(Settings(max_query_bytes=20)))
    assert small.get("/healthz?" + "a" * 21).status_code == 414
    assert small.get("/healthz?" + "a" * 20).status_code == 200


@pytest.fixture
def failing(monkeypatch):
    def fail(*_, **__):
        raise ValueError(f"cannot read {TYPED}")

    monkeypatch.setattr(pages, "read_view", fail)
    return TestClient(create_app(), raise_server_exceptions=False)


def test_a_fault_of_ours_is_a_page_with_headers_and_no_traceback(failing, step_1):
    response = failing.get(f"{step_1}?text={TYPED}")
    assert response.status_code == 500
    assert "Something broke on our side" in response.text
    assert "Traceback" not in response.text
    assert TYPED not in response.text
    assert response.headers["content-security-policy"]


def test_a_fault_is_logged_with_its_place_and_without_what_was_typed(failing, step_1, caplog):
    with caplog.at_level(logging.DEBUG):
        failing.get(f"{step_1}?text={TYPED}")
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    (fault,) = [message for message in ours if f"ValueError in GET {step_1}" in message]
    assert "app/web/pages.py" in fault
    assert not any(f"text={TYPED}" in each or f"read {TYPED}" in each for each in ours)


def test_the_access_log_has_no_queries():
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "",
        0,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"/a?text={TYPED}", "1.1", 200),
        None,
    )
    assert WithoutQuery().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /a HTTP/1.1" 200'
    access = logging.getLogger("uvicorn.access")
    assert any(isinstance(each, WithoutQuery) for each in access.filters)

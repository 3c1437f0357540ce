"""Which other sites' scripts may read answers."""

import pytest

from tests.pages import LESSON
from tests.web.asgi import make_client

ALLOWED, OTHER = "https://school.example", "https://other.example"
PATHS = ["/api/v1/models", f"{LESSON}/why-one-head-is-not-enough", "/nowhere"]


def cors_headers(response):
    return {name for name in response.headers if name.startswith("access-control-")}


def preflight(client, path, origin, method):
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers=headers)


@pytest.fixture(scope="module")
def sharing_client():
    return make_client(cors_origins=f"{ALLOWED} https://second.example")


@pytest.mark.parametrize("origin", [ALLOWED, "https://second.example"])
@pytest.mark.parametrize("path", PATHS)
def test_an_allowed_origin_may_read_answers(sharing_client, path, origin):
    headers = sharing_client.get(path, headers={"Origin": origin}).headers
    assert headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in headers
    assert "Origin" in headers["vary"]


@pytest.mark.parametrize(
    "origin", [OTHER, f"{ALLOWED}.evil.example", ALLOWED.replace("https", "http"), "null", "*"]
)
@pytest.mark.parametrize("path", PATHS)
def test_no_other_origin_may_read_answers(sharing_client, path, origin):
    headers = sharing_client.get(path, headers={"Origin": origin}).headers
    assert "access-control-allow-origin" not in headers
    assert preflight(sharing_client, path, origin, "GET").status_code == 400


def test_a_request_without_an_origin_gets_no_permission(sharing_client):
    assert not cors_headers(sharing_client.get("/api/v1/models"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_methods_are_allowed(sharing_client, method):
    response = preflight(sharing_client, "/api/v1/models", ALLOWED, method)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ALLOWED
    allowed = response.headers["access-control-allow-methods"].split(", ")
    assert set(allowed) == {"GET", "HEAD"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_other_method_is_allowed(sharing_client, method):
    response = preflight(sharing_client, "/api/v1/models", ALLOWED, method)
    assert response.status_code == 400
    assert method not in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_setting_no_origin_is_allowed(client, path):
    assert not cors_headers(client.get(path, headers={"Origin": ALLOWED}))
    assert not cors_headers(preflight(client, path, ALLOWED, "GET"))


def test_a_permission_is_not_cached_for_other_origins(sharing_client):
    path = PATHS[1]
    for _ in range(2):
        assert not cors_headers(sharing_client.get(path))
        allowed = sharing_client.get(path, headers={"Origin": ALLOWED}).headers
        assert allowed["access-control-allow-origin"] == ALLOWED
        assert not cors_headers(sharing_client.get(path, headers={"Origin": OTHER})) & {
            "access-control-allow-origin"
        }

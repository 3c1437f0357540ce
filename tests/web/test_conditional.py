import pytest

from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"
PATHS = ["/", STEP, "/models", "/api/v1/models", "/api/v1/attention?text=cat", "/docs", "/healthz"]


@pytest.mark.parametrize("path", [*PATHS, f"{STEP}/qr.svg", f"{STEP}/export/map.csv", "/nowhere"])
def test_head_is_get_without_the_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "etag", "cache-control", "vary"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_known_already_is_not_sent_again(client, path):
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    listed = client.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert listed.status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_another_view_is_another_answer(client):
    tags = {client.get(f"{STEP}?text={text}").headers["etag"] for text in ("cat", "dog", "cats")}
    assert len(tags) == 3


def test_only_what_is_there_can_be_known(client):
    answer = client.get("/nowhere", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client, method):
    answer = client.request(method, "/api/v1/models")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]

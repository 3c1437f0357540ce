import re

import pytest

from app.web.static_files import SERVICE_WORKER

OLD = "/static/0123456789ab"


@pytest.fixture
def current(client):
    return re.search(r'href="(/static/[0-9a-f]{12})/style\.css"', client.get("/").text)[1]


@pytest.mark.parametrize("file", ["style.css", "script.js", "mark.svg", "vendor/htmx.min.js"])
def test_the_address_of_another_version_leads_to_the_file_as_it_is_now_and_not_for_long(
    client, current, file
):
    now, then = client.get(f"{current}/{file}"), client.get(f"{OLD}/{file}")
    assert then.status_code == 200
    assert then.content == now.content
    assert then.headers["content-type"] == now.headers["content-type"]
    assert now.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert then.headers["cache-control"] == "public, max-age=300"


def test_the_service_worker_of_any_version_may_speak_for_every_page(client, current):
    for version in (current, OLD):
        answer = client.get(f"{version}/{SERVICE_WORKER}")
        assert answer.headers["service-worker-allowed"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        f"{OLD}/nothing.css",
        f"{OLD}/",
        "/static/style.css",
        "/static/latest/style.css",
        "/static/",
        f"{OLD}/%2e%2e/%2e%2e/README.md",
        f"{OLD}//etc/passwd",
    ],
)
def test_what_is_no_file_of_ours_is_not_there(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("file", ["style.css", "script.js", "mark.svg"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_files_are_there_to_be_read_alone(client, current, file, method):
    answer = client.request(method, f"{current}/{file}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    head = client.head(f"{current}/{file}")
    assert (head.status_code, head.content) == (200, b"")

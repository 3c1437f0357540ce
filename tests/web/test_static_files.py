import re

import pytest

from app.web.static_files import SERVICE_WORKER

OLD_VERSION = "/static/0123456789ab"


@pytest.fixture
def current_version(client):
    return re.search(r'href="(/static/[0-9a-f]{12})/style\.css"', client.get("/").text)[1]


@pytest.mark.parametrize("file", ["style.css", "script.js", "mark.svg", "vendor/htmx.min.js"])
def test_an_old_url_serves_the_current_file_with_short_caching(client, current_version, file):
    now, then = client.get(f"{current_version}/{file}"), client.get(f"{OLD_VERSION}/{file}")
    assert then.status_code == 200
    assert then.content == now.content
    assert then.headers["content-type"] == now.headers["content-type"]
    assert now.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert then.headers["cache-control"] == "public, max-age=300"


def test_the_service_worker_of_any_version_may_control_every_page(client, current_version):
    for version in (current_version, OLD_VERSION):
        answer = client.get(f"{version}/{SERVICE_WORKER}")
        assert answer.headers["service-worker-allowed"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        f"{OLD_VERSION}/nothing.css",
        f"{OLD_VERSION}/",
        "/static/style.css",
        "/static/latest/style.css",
        "/static/",
        f"{OLD_VERSION}/%2e%2e/%2e%2e/README.md",
        f"{OLD_VERSION}//etc/passwd",
    ],
)
def test_unknown_files_are_not_found(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("file", ["style.css", "script.js", "mark.svg"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_static_files_are_read_only(client, current_version, file, method):
    answer = client.request(method, f"{current_version}/{file}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    head = client.head(f"{current_version}/{file}")
    assert (head.status_code, head.content) == (200, b"")

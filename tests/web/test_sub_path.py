"""A server behind a proxy that publishes it under a path: `uvicorn --root-path /attention`.

What works there is tested: every route answers, and absolute URLs, which are for other sites, have
the path. Relative to the host, without the path, are still: links, forms, redirects and pushed URLs
of pages, their static files, `link` in the API, and `embed.js`; errors under /api/ are pages, and
`/oembed` knows no lesson.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from tests.pages import LESSON
from tests.web.html import parse_html

ROOT = "/attention"
STEP = f"{LESSON}/why-one-head-is-not-enough"
VIEW = f"{STEP}?text=Birds+sing&open=files&v=2"
PUBLIC_VIEW = f"http://testserver{ROOT}{VIEW}"


@pytest.fixture(scope="module")
def app():
    return create_app(Settings(embed_origins=("https://school.example",), cache_megabytes=0))


@pytest.fixture(scope="module")
def proxied_client(app):
    """Requests as uvicorn hands them on with `--root-path`: their path begins with it."""
    return TestClient(app, root_path=ROOT, follow_redirects=False)


@pytest.fixture(scope="module")
def page(proxied_client):
    return parse_html(proxied_client.get(f"{ROOT}{VIEW}").text)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/models", "/models/headwise-h4", "/docs", "/assign", "/offline", "/healthz"),
        *(STEP, f"{STEP}/numbers", f"{STEP}/handout", f"{STEP}/export/map.svg", f"{LESSON}/end"),
        *("/api/v1/models", f"/api/v1/labs{STEP}", "/api/v1/attention?text=cat"),
        *("/static/0123456789ab/style.css", "/embed.js"),
    ],
)
def test_every_route_answers_under_the_path(app, proxied_client, path):
    answer = proxied_client.get(f"{ROOT}{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TestClient(app).get(path).headers["content-type"]


def test_a_link_to_share_has_the_path(page, proxied_client):
    assert page.find("#share-link")["value"] == PUBLIC_VIEW
    assert proxied_client.get(PUBLIC_VIEW).status_code == 200


def test_the_link_of_an_assignment_has_the_path(proxied_client):
    answer = proxied_client.get(f"{ROOT}/assign?step={STEP}&text=Birds+sing&fixed=text")
    link = parse_html(answer.text).find("#assigned-link")["value"]
    assert link.startswith(f"http://testserver{ROOT}{STEP}?text=Birds+sing&")
    assert proxied_client.get(link).status_code == 200


def test_the_picture_for_previews_elsewhere_has_the_path(page, proxied_client):
    url = page.find("meta[property=og:image]")["content"]
    assert url.startswith(f"http://testserver{ROOT}/static/")
    assert proxied_client.get(url).headers["content-type"] == "image/png"


def test_frames_in_other_sites_have_the_path(page):
    iframe = parse_html(page.find("#share-embed")["value"]).find("iframe")
    assert iframe["src"] == f"{PUBLIC_VIEW}&embed=1"
    discovery_url = urlsplit(page.find("link[type=application/json+oembed]")["href"])
    assert discovery_url.path == f"{ROOT}/oembed"
    assert parse_qs(discovery_url.query)["url"] == [PUBLIC_VIEW]


def test_the_description_of_the_api_names_the_path(proxied_client):
    description = proxied_client.get(f"{ROOT}/openapi.json").json()
    assert description["servers"] == [{"url": ROOT}]
    assert "/api/v1/models" in description["paths"]


def test_answers_for_one_path_are_not_cached_for_another():
    app = create_app(Settings())
    for root in ("", ROOT, "/elsewhere"):
        client = TestClient(app, root_path=root)
        html = parse_html(client.get(f"{root}{VIEW}").text)
        assert html.find("#share-link")["value"] == f"http://testserver{root}{VIEW}"

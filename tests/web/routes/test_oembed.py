from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from tests.pages import LESSON, STEP_PATHS
from tests.shipped import VERSION
from tests.web.html import parse_html

STEP = f"{LESSON}/why-one-head-is-not-enough"
ALLOWED_ORIGIN = "https://school.example"


@pytest.fixture(scope="module")
def embedding_client():
    settings = Settings(embed_origins=f"{ALLOWED_ORIGIN} https://*.example.org")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def test_an_embedded_lab_is_standalone(embedding_client):
    page = embedding_client.get(f"{STEP}?text=Birds+sing&embed=1").text
    assert '<svg class="map' in page
    assert page.index('id="predict"') < page.index('id="lab"')
    for rest in (
        'class="site-header"',
        'class="site-footer"',
        'id="check"',
        "<article",
    ):
        assert rest not in page


def test_an_edit_of_an_embedded_lab_stays_embedded(embedding_client):
    answer = embedding_client.get(STEP, params={"edit": 1, "embed": 1, "text": "a b"})
    assert answer.headers["location"] == f"{STEP}?text=a+b&v={VERSION}&embed=1"
    fragment = embedding_client.get(
        STEP, params={"embed": 1, "text": "a b"}, headers={"HX-Request-Type": "partial"}
    )
    assert '<input type="hidden" name="embed" value="1">' in fragment.text
    assert 'id="predict"' in fragment.text
    assert 'id="check"' not in fragment.text


def test_the_nearest_valid_link_stays_in_the_frame(embedding_client):
    refused = embedding_client.get(f"{STEP}?text={'cat+' * 60}&embed=1")
    assert refused.status_code == 422
    (nearest_link,) = [link for link in links_of(refused) if "Keep the first" in link.text]
    page = embedding_client.get(nearest_link["href"])
    assert page.status_code == 200
    assert 'class="embedded"' in page.text


def links_of(response):
    return parse_html(response.text).find_all("a")


def stays_in_frame(link):
    """Whether a link opens beside the frame, or leads to a view in the frame."""
    if link.get("target") == "_blank":
        return link.get("rel") == "noopener"
    return link["href"].startswith("#") or parse_qs(urlsplit(link["href"]).query)["embed"] == ["1"]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("query", ["", "&text=Birds+sing&minus=headwise-h1.0&cell=0.1", "&head=99"])
@pytest.mark.parametrize("step", STEP_PATHS)
def test_no_link_of_an_embedded_lab_leaves_its_frame(embedding_client, step, query, partial):
    headers = {"HX-Request-Type": "partial"} if partial else {}
    links = links_of(embedding_client.get(f"{step}?embed=1{query}", headers=headers))
    assert links
    assert [link for link in links if not stays_in_frame(link)] == []
    links_outside_of_frames = links_of(embedding_client.get(step))
    assert links_outside_of_frames
    assert not any("target" in link for link in links_outside_of_frames)


def test_only_allowed_sites_may_frame_and_only_the_lab(embedding_client, client):
    framed = embedding_client.get(f"{STEP}?embed=1").headers
    assert (
        f"frame-ancestors {ALLOWED_ORIGIN} https://*.example.org"
        in framed["content-security-policy"]
    )
    assert "x-frame-options" not in framed
    for headers in (embedding_client.get(STEP).headers, client.get(f"{STEP}?embed=1").headers):
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/assign",
        "/assign/codes",
        "/models",
        "/healthz",
        f"{LESSON}/end",
        f"{STEP}/numbers",
        f"{STEP}/handout",
        f"{STEP}/export/map.svg",
    ],
)
def test_pages_that_are_no_lab_can_never_be_framed(embedding_client, path):
    headers = embedding_client.get(f"{path}?embed=1").headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("query", ["embed=1", "embed=%31", "%65mbed=1", "embed=0&embed=1"])
def test_a_standalone_lab_can_always_be_framed(embedding_client, query):
    answers = [embedding_client.get(f"{STEP}?{query}") for _ in range(2)]
    etag = {"If-None-Match": answers[0].headers["etag"]}
    answers += [
        embedding_client.get(f"{STEP}?{query}", headers=etag),
        embedding_client.head(answers[0].url),
    ]
    for answer in answers:
        assert "x-frame-options" not in answer.headers
        assert f"frame-ancestors {ALLOWED_ORIGIN}" in answer.headers["content-security-policy"]
        assert not any("framed" in name for name in answer.headers)


def test_an_invalid_view_is_reported_within_the_frame(embedding_client):
    answer = embedding_client.get(f"{STEP}?embed=1&head=9")
    assert answer.status_code == 422
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize("query", ["embed=1&embed=0", "embed=01", "embed=1x", "text=embed=1"])
def test_a_whole_page_is_never_framed(embedding_client, client, query):
    page = embedding_client.get(f"{STEP}?{query}")
    assert 'class="site-header"' in page.text
    assert page.headers["x-frame-options"] == "DENY"


def test_without_allowed_origins_no_header_is_leaked(client):
    headers = client.get(f"{STEP}?embed=1").headers
    assert headers["x-frame-options"] == "DENY"
    assert not any("framed" in name for name in headers)


@pytest.mark.parametrize("origin", ["javascript:alert(1)", "*", "https://a.b; script-src *", "x"])
def test_an_invalid_origin_is_refused_at_startup(origin):
    with pytest.raises(ValidationError):
        Settings(embed_origins=(origin,))


def test_origins_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("HEADWISE_EMBED_ORIGINS", "https://a.example  http://localhost:8080")
    assert Settings().embed_origins == ("https://a.example", "http://localhost:8080")
    monkeypatch.delenv("HEADWISE_EMBED_ORIGINS")
    assert Settings().embed_origins == ()


def test_oembed_discovery_leads_to_the_frame(embedding_client):
    page = parse_html(embedding_client.get(f"{STEP}?text=Birds+sing&v=1").text)
    discovery_url = page.find("link[type=application/json+oembed]")["href"]
    oembed = embedding_client.get(discovery_url).json()
    assert (oembed["version"], oembed["type"]) == ("1.0", "rich")
    assert oembed["title"] == "Why one head isn’t enough"
    source = parse_html(oembed["html"]).find("iframe")["src"]
    assert source == f"http://testserver{STEP}?text=Birds+sing&v=1&embed=1"
    assert parse_html(oembed["html"]).find("script")["src"] == "http://testserver/embed.js"
    assert embedding_client.get(source).status_code == 200


def test_oembed_keeps_to_the_requested_size(embedding_client):
    query = {"url": f"http://testserver{STEP}", "maxwidth": 300, "maxheight": 200}
    oembed = embedding_client.get("/oembed", params=query).json()
    assert (oembed["width"], oembed["height"]) == (300, 200)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"url": f"https://elsewhere.example{STEP}"}, 404),
        ({"url": "http://testserver/nowhere/1"}, 404),
        ({"url": "http://testserver/models"}, 404),
        ({"url": "http://["}, 404),
        ({"url": "http://[x]/"}, 404),
        ({"url": ""}, 404),
        ({"url": f"http://testserver{STEP}", "format": "xml"}, 501),
        ({}, 422),
    ],
)
def test_oembed_refuses_what_it_cannot_frame(embedding_client, query, status):
    assert embedding_client.get("/oembed", params=query).status_code == status


def test_without_allowed_origins_there_is_no_oembed(client):
    assert "oembed" not in client.get(STEP).text
    assert client.get("/oembed", params={"url": f"http://testserver{STEP}"}).status_code == 404


def test_a_title_cannot_leave_its_attribute(embedding_client):
    query = {"url": f'http://testserver{STEP}?text="><script>x</script>'}
    oembed = embedding_client.get("/oembed", params=query).json()
    assert "<script>x" not in oembed["html"]


def test_other_sites_may_load_the_script_for_frames(client):
    answer = client.get("/embed.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"

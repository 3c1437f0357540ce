import html
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.pages import LESSON

STEP = f"{LESSON}/why-one-head-is-not-enough"
PARENT = "https://school.example"


@pytest.fixture(scope="module")
def open_client():
    settings = Settings(embed_origins=f"{PARENT} https://*.example.org")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def test_an_embedded_lab_stands_alone(open_client):
    page = open_client.get(f"{STEP}?text=Birds+sing&embed=1").text
    assert '<svg class="map' in page
    for rest in ('class="bar"', 'class="foot"', 'id="predict"', 'id="check"', "<article"):
        assert rest not in page


def test_an_edit_of_an_embedded_lab_stays_embedded(open_client):
    answer = open_client.get(STEP, params={"edit": 1, "embed": 1, "text": "a b"})
    assert answer.headers["location"] == f"{STEP}?text=a+b&v=1&embed=1"
    part = open_client.get(
        STEP, params={"embed": 1, "text": "a b"}, headers={"HX-Request-Type": "partial"}
    )
    assert '<input type="hidden" name="embed" value="1">' in part.text
    assert 'id="predict"' not in part.text


def test_the_way_out_of_a_refused_view_stays_in_the_frame(open_client):
    refused = open_client.get(f"{STEP}?text={'cat+' * 60}&embed=1")
    assert refused.status_code == 422
    way_out = re.search(r'<a href="([^"]*)">Keep the first', refused.text)[1]
    page = open_client.get(html.unescape(way_out))
    assert page.status_code == 200
    assert 'class="embedded"' in page.text


class Links(HTMLParser):
    """The attributes of every link of a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs))


def stays(link):
    """Whether a link opens beside the frame, or leads to a view in the frame."""
    if link.get("target") == "_blank":
        return link.get("rel") == "noopener"
    return link["href"].startswith("#") or parse_qs(urlsplit(link["href"]).query)["embed"] == ["1"]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("query", ["", "&text=Birds+sing&minus=headwise-h1.0&cell=0.1", "&head=99"])
@pytest.mark.parametrize("number", range(1, 8))
def test_no_link_of_an_embedded_lab_takes_its_frame_away(open_client, number, query, partial):
    step = open_client.get(f"{LESSON}/{number}").headers["location"]
    headers = {"HX-Request-Type": "partial"} if partial else {}
    links = Links(open_client.get(f"{step}?embed=1{query}", headers=headers).text).found
    assert links
    assert [link for link in links if not stays(link)] == []
    assert all("target" not in link for link in Links(open_client.get(step).text).found)


def test_only_allowed_sites_may_frame_and_only_the_lab(open_client, client):
    framed = open_client.get(f"{STEP}?embed=1").headers
    assert f"frame-ancestors {PARENT} https://*.example.org" in framed["content-security-policy"]
    assert "x-frame-options" not in framed
    for headers in (open_client.get(STEP).headers, client.get(f"{STEP}?embed=1").headers):
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
def test_what_is_no_lab_stands_in_no_frame_whatever_it_is_asked_by(open_client, path):
    headers = open_client.get(f"{path}?embed=1").headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("query", ["embed=1", "embed=%31", "%65mbed=1", "embed=0&embed=1"])
def test_a_lab_is_framed_whenever_it_stands_alone(open_client, query):
    answers = [open_client.get(f"{STEP}?{query}") for _ in range(2)]
    etag = {"If-None-Match": answers[0].headers["etag"]}
    answers += [open_client.get(f"{STEP}?{query}", headers=etag), open_client.head(answers[0].url)]
    for answer in answers:
        assert "x-frame-options" not in answer.headers
        assert f"frame-ancestors {PARENT}" in answer.headers["content-security-policy"]
        assert not any("framed" in name for name in answer.headers)


def test_a_view_that_cannot_be_is_told_within_the_frame(open_client):
    answer = open_client.get(f"{STEP}?embed=1&head=9")
    assert answer.status_code == 422
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize("query", ["embed=1&embed=0", "embed=01", "embed=1x", "text=embed=1"])
def test_a_whole_page_is_never_framed(open_client, client, query):
    page = open_client.get(f"{STEP}?{query}")
    assert 'class="bar"' in page.text
    assert page.headers["x-frame-options"] == "DENY"


def test_where_none_may_frame_nothing_tells_what_could_be(client):
    headers = client.get(f"{STEP}?embed=1").headers
    assert headers["x-frame-options"] == "DENY"
    assert not any("framed" in name for name in headers)


@pytest.mark.parametrize("origin", ["javascript:alert(1)", "*", "https://a.b; script-src *", "x"])
def test_an_origin_that_is_none_is_refused_at_the_start(origin):
    with pytest.raises(ValidationError):
        Settings(embed_origins=(origin,))


def test_origins_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("HEADWISE_EMBED_ORIGINS", "https://a.example  http://localhost:8080")
    assert Settings().embed_origins == ("https://a.example", "http://localhost:8080")
    monkeypatch.delenv("HEADWISE_EMBED_ORIGINS")
    assert Settings().embed_origins == ()


def test_a_link_leads_to_its_frame_by_oembed(open_client):
    page = open_client.get(f"{STEP}?text=Birds+sing&v=1").text
    found = re.search(r'type="application/json\+oembed" href="([^"]+)"', page)
    told = open_client.get(html.unescape(found[1]).removeprefix("http://testserver")).json()
    assert (told["version"], told["type"]) == ("1.0", "rich")
    assert told["title"] == "Why one head isn’t enough"
    source = html.unescape(re.search(r'<iframe src="([^"]+)"', told["html"])[1])
    assert source == f"http://testserver{STEP}?text=Birds+sing&v=1&embed=1"
    assert 'src="http://testserver/embed.js"' in told["html"]
    assert open_client.get(source.removeprefix("http://testserver")).status_code == 200


def test_oembed_keeps_to_the_size_that_is_asked_for(open_client):
    query = {"url": f"http://testserver{STEP}", "maxwidth": 300, "maxheight": 200}
    told = open_client.get("/oembed", params=query).json()
    assert (told["width"], told["height"]) == (300, 200)


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
def test_oembed_refuses_what_it_cannot_frame(open_client, query, status):
    assert open_client.get("/oembed", params=query).status_code == status


def test_where_no_site_may_embed_nothing_offers_it(client):
    assert "oembed" not in client.get(STEP).text
    assert client.get("/oembed", params={"url": f"http://testserver{STEP}"}).status_code == 404


def test_a_title_cannot_leave_its_attribute(open_client):
    query = {"url": f'http://testserver{STEP}?text="><script>x</script>'}
    told = open_client.get("/oembed", params=query).json()
    assert "<script>x" not in told["html"]


def test_other_sites_may_load_the_script_for_frames(client):
    answer = client.get("/embed.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"

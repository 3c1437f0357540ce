from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from markupsafe import Markup, escape

from app.exports.figure import PNG_SCALES
from app.exports.formats import FORMATS
from app.lesson import load_lessons
from app.lesson.loader import OutlineEntry
from app.web.rendering.links import file_links, step_links
from app.web.state.links import path_of
from tests.lesson.small_lesson import SLUG, SLUG_1, SLUG_2, SMALL_LESSONS
from tests.web.html import parse_html
from tests.web.rendering.hostile_texts import HOSTILE_TEXTS

PICTURES = (".svg", ".png")
PATH, QUERY = Markup("/lesson/step"), Markup("text=a+b&amp;v=1")


@pytest.fixture(scope="module")
def lesson(models):
    (lesson,) = load_lessons(SMALL_LESSONS, models).lessons
    return lesson


def urls_of(lesson, query=""):
    return {step.slug: f"{path_of(lesson, step)}{query}" for step in lesson.steps}


def links_of(html):
    return parse_html(html).find_all("a")


def test_every_step_has_a_link_that_carries_the_query_along(lesson):
    html = step_links(lesson, lesson.steps[1], urls_of(lesson, "?text=a+b&model=headwise-h2"))
    assert [
        (link["href"], link["data-step"], link.text, link["title"]) for link in links_of(html)
    ] == [
        (
            f"/{SLUG}/{slug}?text=a+b&model=headwise-h2",
            str(step.number),
            str(step.number),
            step.config.title,
        )
        for slug, step in zip((SLUG_1, SLUG_2), lesson.steps, strict=True)
    ]


@pytest.mark.parametrize("index", [0, 1])
def test_only_the_current_step_is_marked(lesson, index):
    html = step_links(lesson, lesson.steps[index], urls_of(lesson))
    current = [link.get("aria-current") for link in links_of(html)]
    assert current == ["step" if each == index else None for each in range(2)]


def test_a_step_that_cannot_be_shown_has_no_link(lesson):
    broken = (OutlineEntry(3, "Shared & <keys>", None, "being mended"),)
    html = parse_html(step_links(replace(lesson, broken=broken), lesson.steps[0], urls_of(lesson)))
    assert [item.text for item in html.find_all("li")] == ["1", "2", "3"]
    (span,) = html.find_all("span")
    assert (span["title"], span.text) == ("Shared & <keys>: being mended", "3")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_link_to_a_step_cannot_leave_its_attribute(lesson, text):
    (first, _) = links_of(step_links(lesson, lesson.steps[0], urls_of(lesson, f"?text={text}")))
    assert first["href"] == f"/{SLUG}/{SLUG_1}?text={text}"


@pytest.mark.parametrize("slug", HOSTILE_TEXTS)
def test_the_name_of_a_lessons_folder_cannot_leave_its_attribute(lesson, slug):
    renamed = replace(lesson, slug=slug)
    (first, _) = links_of(step_links(renamed, lesson.steps[0], urls_of(renamed)))
    assert first["href"] == f"/{slug}/{SLUG_1}"


def parsed_links(has_comparison):
    """The path and the query of each link to a file."""
    urls = [
        urlsplit(link["href"]) for link in links_of(file_links(PATH, QUERY, "", has_comparison))
    ]
    return [(url.path, dict(parse_qsl(url.query))) for url in urls]


def test_every_file_of_a_view_has_a_link_with_its_query():
    files = [(path, query) for path, query in parsed_links(True) if not path.endswith(PICTURES)]
    assert files == [
        (f"{PATH}/export/{name}", {"text": "a b", "v": "1"})
        for name in FORMATS
        if not name.endswith(PICTURES)
    ]


@pytest.mark.parametrize("has_comparison", [True, False])
def test_every_picture_has_a_link_for_each_theme_and_size(has_comparison):
    pictures = [each for each in parsed_links(has_comparison) if each[0].endswith(PICTURES)]
    assert pictures == [
        (f"{PATH}/export/{picture}.{kind}", {"text": "a b", "v": "1", "theme": theme} | scale)
        for picture in (["map", "difference"] if has_comparison else ["map"])
        for theme in ("light", "dark")
        for kind, scale in [("svg", {}), *(("png", {"scale": scale}) for scale in PNG_SCALES)]
    ]


def test_a_png_opens_in_the_browser_and_other_files_are_downloaded():
    links = links_of(file_links(PATH, QUERY, "", True))
    for link in links:
        assert ("download" in link) == (not urlsplit(link["href"]).path.endswith(".png"))
        is_picture = urlsplit(link["href"]).path.endswith(PICTURES)
        assert ("data-add-heat" in link) == is_picture


@pytest.mark.parametrize("new_tab", ["", ' target="_blank" rel="noopener"'])
def test_links_in_a_frame_open_in_a_new_tab(new_tab):
    links = links_of(file_links(PATH, QUERY, new_tab, True))
    assert {link.get("target") for link in links} == {"_blank" if new_tab else None}


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_an_escaped_query_stays_as_it_is(text):
    for link in links_of(file_links(PATH, escape(f"text={text}"), "", False)):
        assert link["href"].partition("?")[2].startswith(f"text={text}")

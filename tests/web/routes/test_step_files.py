import asyncio
import io
import re
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
import segno
from starlette.testclient import TestClient

from app.application import create_app
from app.exports.formats import FORMATS
from app.settings import Settings
from tests.lesson.small_lesson import SLUG_1, SMALL_LESSONS
from tests.pages import LESSON, STEP_PATHS
from tests.shipped import LESSONS, VERSION
from tests.web.html import parse_html

STEP = f"{LESSON}/why-one-head-is-not-enough"


def get_export(client, file, **query):
    return client.get(f"{STEP}/export/{file}", params=query)


@pytest.mark.parametrize("file", FORMATS)
def test_every_format_is_served_and_named_without_the_sentence(client, file):
    answer = get_export(client, file, text="Birds sing", head=3, minus="headwise-h1.0")
    assert answer.status_code == 200
    assert len(answer.content) > 100
    assert answer.headers["content-type"].startswith(FORMATS[file].media_type)
    named = f'attachment; filename="headwise-h4-layer0-head3-{file}"'
    assert answer.headers["content-disposition"] == named
    assert client.head(str(answer.url)).status_code == 200


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_png_files_come_in_three_sizes(client, scale):
    first = get_export(client, "map.svg").text
    width = int(first.partition('width="')[2].partition('"')[0])
    png = get_export(client, "map.png", scale=scale).content
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24])[0] == scale * width


def test_letters_are_drawn_without_any_font_of_the_machine(client):
    letters = get_export(client, "map.png", text="Birds sing", scale=4).content
    second = get_export(client, "map.png", text="Bards sang", scale=4).content
    assert letters != second


def test_pictures_have_the_requested_theme_and_colour_scale(client):
    pictures = {
        get_export(client, "map.svg", theme=theme, heat=heat).text
        for theme in ("light", "dark")
        for heat in ("default", "greys")
    }
    assert len(pictures) == 4


@pytest.mark.parametrize(
    ("query", "message"),
    [({"theme": "x"}, "theme"), ({"scale": "9"}, "scale"), ({"head": "9"}, "no head “9”")],
)
def test_an_invalid_export_is_reported(client, query, message):
    answer = get_export(client, "map.png", **query)
    assert answer.status_code == 422
    assert message in answer.text


def test_a_difference_needs_a_head_to_compare_with(client):
    answer = get_export(client, "difference.svg")
    assert answer.status_code == 422
    assert "No head is chosen" in answer.text


def test_the_picture_is_what_the_page_shows(client):
    default = get_export(client, "map.svg").text
    assert default == get_export(client, "map.svg", show="grid").text
    assert default.count(">Head ") == 4
    pictures = {get_export(client, "map.svg", show=show).text for show in ("map", "lines", "strip")}
    assert len({*pictures, default}) == 4


def test_an_unknown_file_is_reported(client):
    answer = get_export(client, "map.gif")
    assert answer.status_code == 404
    assert "map.svg" in answer.text


def test_a_shuffled_sentence_is_exported_as_it_is_shown(client):
    address = f"{LESSON}/measure-before-you-name/export/view.npz"
    original, shuffled = (
        np.load(io.BytesIO(client.get(address, params=query).content))["maps"]
        for query in ({}, {"shuffled": "1"})
    )
    assert original.shape == shuffled.shape
    assert not np.allclose(original, shuffled)


def test_the_archive_holds_all_that_its_script_needs(client):
    with zipfile.ZipFile(io.BytesIO(get_export(client, "reproduce.zip").content)) as archive:
        names = set(archive.namelist())
    needed = {"reproduce.py", "reproduce.ipynb", "view.npz", "view.json", "style.css"}
    assert needed <= names
    assert {"app/attention/textbook.py", "app/picture/heatmap.py"} <= names


def test_the_link_of_a_view_has_a_qr_code(client):
    first, second = (client.get(f"{STEP}/qr.svg", params={"text": text}) for text in ("a b", "a c"))
    assert first.status_code == 200
    assert first.headers["content-type"] == "image/svg+xml"
    assert first.text != second.text


def test_a_link_too_long_for_a_qr_code_says_so(client):
    answer = client.get(f"{STEP}/qr.svg", params={"text": "雪" * 45, "v": "1"})
    assert answer.status_code == 200
    answer = client.get(f"{STEP}/qr.svg", params={"text": "a" * 3_000, "v": "1"})
    assert answer.status_code == 422
    assert "too long for a QR code" in answer.text


def test_the_longest_qr_code_is_readable_by_a_phone(client):
    # Of a view that says nothing but its sentence.
    around = len(f"http://testserver{STEP}?text=&v=1")
    answers = [
        client.get(f"{STEP}/qr.svg", params={"text": "a" * (length - around), "v": "1"})
        for length in (1_200, 1_201)
    ]
    assert [answer.status_code for answer in answers] == [200, 422]
    assert "too long for a QR code" in answers[1].text


def test_qr_codes_are_drawn_outside_the_event_loop(client, monkeypatch):
    make, on_the_loop = segno.make, []

    def recording_make(*args, **options):
        on_the_loop.append(asyncio._get_running_loop() is not None)
        return make(*args, **options)

    monkeypatch.setattr(segno, "make", recording_make)
    assert client.get(f"{STEP}/qr.svg?text=a+b+c").status_code == 200
    assert on_the_loop == [False]


def test_a_link_without_the_sentence_holds_nothing_of_it(client):
    query = {"text": "Secret birds", "head": 3, "cell": "1.1", "open": "files"}
    page = client.get(STEP, params=query).text
    nameless = page.partition('id="share-nameless"')[2].partition('value="')[2].partition('"')[0]
    assert nameless == f"http://testserver{STEP}?head=3&amp;open=files&amp;v={VERSION}"
    assert 'id="share-nameless"' not in client.get(f"{STEP}?open=files").text


def test_a_long_sentence_of_many_heads_is_refused_at_a_large_scale_and_drawn_at_a_small_one(client):
    view = {"text": "the " * 36, "model": "headwise-h8", "show": "grid"}
    refused = get_export(client, "map.png", **view, scale=4)
    assert refused.status_code == 422
    assert "smaller scale" in refused.text
    assert get_export(client, "map.png", **view, scale=1).status_code == 200
    one_head = view | {"show": "map"}
    assert get_export(client, "map.png", **one_head, scale=4).status_code == 200


def test_one_png_is_drawn_at_a_time_while_other_files_are_made(monkeypatch):
    drawing, released = [Event(), Event()], Event()
    next_drawing = iter(drawing)

    def draw(*_):
        next(next_drawing).set()
        assert released.wait(10)
        return b"\x89PNG"

    monkeypatch.setattr("app.exports.figure.svg_to_png", draw)
    with TestClient(create_app()) as client, ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(get_export, client, "map.png", text=text) for text in ("a", "b")]
        assert drawing[0].wait(10)
        assert get_export(client, "map.csv").status_code == 200
        second_waits = not drawing[1].wait(0.3)
        released.set()
        assert [answer.result().status_code for answer in answers] == [200, 200]
    assert second_waits
    assert drawing[1].is_set()


def get_handout(client, step=STEP, **query):
    answer = client.get(f"{step}/handout", params=query)
    assert answer.status_code == 200
    return answer.text


def test_a_handout_has_blanks_and_no_answers(client):
    html = get_handout(client, text="Birds sing at dawn")
    assert html.count("blank-line") >= 3
    assert "← right" not in html
    assert 'class="caption-text"' not in html
    assert "Softmax divides" not in html


def test_the_teachers_version_has_the_answers_of_this_sentence(client):
    html = get_handout(client, text="Birds sing at dawn", answers=1)
    assert html.count("← right") == 2
    assert html.count('class="caption-text"') == 8
    assert "Softmax divides" in html
    assert "Name:" not in html


def test_maps_with_answers_are_those_that_the_prediction_asks_about(client):
    html = get_handout(client, model="headwise-h2", answers=1)
    assert "in layer 0 of headwise-h8" in html
    assert html.count('<svg class="map') == 8


def test_maps_without_answers_are_those_of_the_page(client):
    html = get_handout(client, model="headwise-h2")
    assert "in layer 0 of headwise-h2" in html
    assert html.count('<svg class="map') == 2
    assert "Dashed rows" not in html


ROWS = f"{LESSON}/rows-ask-columns-answer"


def weights_in_map(svg):
    """Return the numbers that stand in the cells of a map."""
    return re.findall(r">(?:1|\.\d\d)<", svg)


@pytest.mark.parametrize("query", [{}, {"reveal": "1"}, {"v": "1"}])
def test_a_blank_handout_leaves_out_the_rows_that_answer_whatever_the_page_shows(client, query):
    blank = parse_html(get_handout(client, ROWS, **query))
    answers = parse_html(get_handout(client, ROWS, **query, answers="1"))
    assert "Dashed rows" in blank.source
    assert "Dashed rows" not in answers.source
    chosen = int(client.get(f"/api/v1/labs{ROWS}", params=query).json()["view"]["head"])
    for head, (left_out, whole) in enumerate(
        zip(blank.find_all("svg.map"), answers.find_all("svg.map"), strict=True)
    ):
        n_left, n = len(weights_in_map(left_out.source)), len(weights_in_map(whole.source))
        assert (n_left < n) == (head == chosen)


@pytest.mark.parametrize("step", STEP_PATHS)
def test_the_teachers_version_gives_the_reasons(client, step):
    page = parse_html(client.get(step, params={"reveal": "1"}).text)
    (verdict,) = [p.text for p in page.find_all("#verdict p") if "try-next" not in p.classes][:1]
    html = parse_html(get_handout(client, step, answers="1"))
    assert verdict in html.text
    blank = parse_html(get_handout(client, step, reveal="1"))
    assert verdict not in blank.text


@pytest.mark.parametrize("step", STEP_PATHS)
def test_a_sentence_without_a_question_has_a_handout_that_says_so(client, step):
    page = parse_html(client.get(step, params={"text": "Stop"}).text)
    if not page.has("#predict button"):
        text = page.find_all("#predict p")[0].text
        for answers in ("0", "1"):
            assert text in parse_html(get_handout(client, step, text="Stop", answers=answers)).text


def test_numbers_show_only_the_rows_of_the_page_until_the_answer_is_shown(client):
    def rows(**query):
        table = parse_html(client.get(f"{ROWS}/numbers", params=query).text).find("table.numbers")
        return [[cell.text for cell in row.find_all("td")] for row in table.find_all("tbody tr")]

    before, after = rows(), rows(reveal="1")
    (word,) = {index for index, row in enumerate(before) if "?" not in row}
    assert word == int(client.get(f"/api/v1/labs{ROWS}").json()["view"]["word"])
    assert before[word] == after[word]
    assert not any("?" in cell for row in after for cell in row)
    assert rows(word="0")[0] == after[0]
    assert set(rows(word="0")[word]) == {"?"}


def test_numbers_of_the_heads_that_the_question_is_about_leave_out_the_asking_row(client):
    asked = {"model": "headwise-h8"}
    for query, is_hidden in [(asked, True), (asked | {"reveal": "1"}, False), ({}, False)]:
        html = client.get(f"{STEP}/numbers", params=query).text
        assert ("<td>?</td>" in html) == is_hidden
        assert ("appear when you have predicted" in html) == is_hidden


@pytest.mark.parametrize("file", ["map.csv", "map.svg", "view.json"])
def test_files_are_complete_whether_the_answer_is_shown_or_not(client, file):
    path = f"{ROWS}/export/{file}"
    assert client.get(path).text == client.get(path, params={"reveal": "1"}).text


def test_the_page_offers_files_only_with_the_answer(client):
    before, after = (
        parse_html(client.get(ROWS, params={"open": "files"} | query).text)
        for query in ({}, {"reveal": "1"})
    )
    assert not any("/export/" in link["href"] for link in before.find_all("a"))
    assert any("/export/" in link["href"] for link in after.find_all("a"))
    for page in (before, after):
        assert page.has("#share img")
        assert page.has("input#share-link")


@pytest.mark.parametrize("step", STEP_PATHS)
@pytest.mark.parametrize("answers", ["0", "1"])
def test_every_step_has_a_handout(client, step, answers):
    html = get_handout(client, step, answers=answers)
    assert re.search(r"Step \d+ of \d+", html)
    assert 'alt="QR code of the link to this view"' in html
    assert "<form" not in html


def test_a_view_that_cannot_be_shown_has_no_handout(client):
    answer = client.get(f"{STEP}/handout", params={"text": "cat " * 60})
    assert answer.status_code == 422
    assert "too long" in answer.text


CODE_STEPS = [
    (lesson, step) for lesson in LESSONS for step in lesson.steps if step.code is not None
]


@pytest.mark.parametrize(("lesson", "step"), CODE_STEPS, ids=[step.slug for _, step in CODE_STEPS])
def test_the_code_of_a_step_comes_with_the_numbers_of_the_view(client, lesson, step):
    path = f"/{lesson.slug}/{step.slug}/code.py"
    first = client.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/x-python; charset=utf-8"
    assert first.headers["content-disposition"] == f'attachment; filename="{step.slug}.py"'
    assert step.code.lines.splitlines()[0] in first.text
    own = client.get(path, params={"text": "Owls <sleep>"}).text
    assert "'Owls <sleep>'" in own
    assert own != first.text
    assert client.get(path, params={"text": ""}).status_code == 422


def test_a_step_without_code_says_so():
    small_client = TestClient(create_app(Settings(lessons=SMALL_LESSONS)))
    answer = small_client.get(f"/small-lesson/{SLUG_1}/code.py")
    assert answer.status_code == 404

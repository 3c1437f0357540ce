import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest

from app.models import sanitise_text
from tests.pages import LESSON, STEP_PATHS

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
TYPING = HTMX | {"HX-Source": "input#text"}
RESTORE = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}


def get_page(client, path, headers=None, **query):
    return client.get(f"{path}?{urlencode(query)}" if query else path, headers=headers or {})


def map_markup(html):
    return re.findall(r"<svg class=\"map.*?</svg>", html)


def text_field(html):
    return unescape(re.search(r'<input id="text"[^>]* value="([^"]*)"', html).group(1))


def test_home_links_every_step_and_describes_the_lesson(client, step_1):
    html = client.get("/").text
    assert f'href="{step_1}"' in html
    assert set(STEP_PATHS) <= set(re.findall(r'href="(/[\w-]+/[\w-]+)"', html))
    assert "still to be written" not in html
    for fact in ("Multi-head attention", "Intermediate", "10–12 min", "Softmax, Attention"):
        assert fact in html


def test_a_number_leads_to_the_steps_own_address_with_its_query(client, step_1):
    response = client.get("/multi-head-attention/1?text=a+b%26c&word=1")
    assert response.status_code == 307
    assert response.headers["location"] == f"{step_1}?text=a+b%26c&word=1"


def test_a_lesson_leads_to_its_first_step(client, step_1):
    assert client.get("/multi-head-attention").headers["location"] == step_1


@pytest.mark.parametrize("path", ["/nowhere", "/multi-head-attention/99", "/a/b/c", "/favicon.ico"])
def test_a_missing_page_says_so(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert "There is no such page" in response.text


def test_the_first_answer_holds_one_map_and_four(client, step_1):
    response = client.get(step_1)
    assert response.status_code == 200
    assert len(map_markup(response.text)) == 5
    assert response.text.count('<ol class="strip">') == 5


@pytest.mark.parametrize(
    "fact",
    [
        "Multi-head attention",
        "Step 1 of ",
        "1.5 min of 10–12 min",
        "Intermediate",
        "Softmax, Attention",
        "syntax",
        "meaning",
        "place",
        "GPT-3 175B",
        "Determiner and noun",
        "lead a pronoun back",
        "follow syntax from verb to subject",
        "stay with adjacent",
        "words of similar meaning",
    ],
)
def test_step_1_shows_its_facts(client, step_1, fact):
    assert fact in client.get(step_1).text


@pytest.mark.parametrize("headers", [HTMX, RESTORE, {}], ids=["fragment", "restore", "page"])
def test_page_and_fragment_hold_the_same_maps_byte_for_byte(client, step_1, headers):
    query = {"text": "She opened the door", "model": "headwise-h2", "layer": 1, "word": 3}
    page = get_page(client, step_1, **query).text
    response_text = get_page(client, step_1, headers, **query).text
    assert map_markup(page) == map_markup(response_text)
    assert ("<html" in response_text) == (headers is not HTMX)


def test_vary_covers_page_and_fragment(client, step_1):
    assert "HX-Request-Type" in client.get(step_1).headers["vary"]


def test_choosing_adds_an_address_and_typing_replaces_it(client, step_1):
    query = {"edit": 1, "text": "a b c", "word": 1}
    address = f"{step_1}?text=a+b+c&word=1&v=1"
    assert get_page(client, step_1, HTMX, **query).headers["hx-push-url"] == address
    assert get_page(client, step_1, TYPING, **query).headers["hx-replace-url"] == address


def test_without_scripts_the_form_leads_to_the_views_own_address(client, step_1):
    response = get_page(client, step_1, edit=1, text="a b c", model="headwise-h2", head=3, word=9)
    assert response.status_code == 303
    assert response.headers["location"] == f"{step_1}?text=a+b+c&model=headwise-h2&word=2&v=1"


def test_of_two_values_of_one_name_the_pressed_button_wins(client, step_1):
    response = client.get(f"{step_1}?edit=1&text=a+b&word=0&word=1")
    assert response.headers["location"].endswith("word=1&v=1")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"model": "h3"}, "There is no model “h3”. There are headwise-h1"),
        ({"layer": "9"}, "There is no layer “9” here. There are layers 0 to 1."),
        ({"head": "four"}, "There is no head “four” here."),
        ({"word": "99"}, "There is no word “99” here. There are words 0 to 4."),
        ({"predict": "99"}, "“99” is none of the values of predict."),
        ({"check": "99"}, "There are sum, one-word and parameters."),
    ],
)
def test_an_invalid_value_is_422_keeps_the_text_and_offers_a_valid_view(
    client, step_1, query, message
):
    response = get_page(client, step_1, text="My own <words>", **query)
    assert response.status_code == 422
    html = unescape(response.text)
    assert message in html
    assert text_field(response.text) == "My own <words>"
    assert not map_markup(response.text)
    nearest = unescape(
        re.search(r'href="([^"]*)">Open the nearest view that works', response.text).group(1)
    )
    assert client.get(nearest).status_code == 200


def test_a_sentence_that_is_too_long_is_kept_and_nothing_is_computed(client, step_1):
    text = "The cat sat down. " * 12
    for headers in ({}, HTMX):
        response = get_page(client, step_1, headers, edit=1, text=text)
        assert response.status_code == 422
        assert "This is 12 tokens too long: it has 60 tokens" in response.text
        assert not map_markup(response.text)
    assert text_field(get_page(client, step_1, text=text).text) == text
    assert (
        get_page(client, step_1, TYPING, edit=1, text=text)
        .headers["hx-replace-url"]
        .startswith(f"{step_1}?text=The+cat")
    )


def test_an_empty_sentence_is_reported(client, step_1):
    response = get_page(client, step_1, text="")
    assert response.status_code == 422
    assert "There is no word here yet" in response.text


def test_a_prediction_is_answered_from_the_learners_own_sentence(client, step_1, models):
    query = {"text": "Dogs chase small cats", "word": 1}
    html = get_page(client, step_1, predict=1, **query).text
    answer = re.search(r"(?:the heads picked|and) <bdi>(\d)</bdi>", html)
    model = models["headwise-h8"]
    weights = model.run(model.tokenizer.sentence(query["text"])).weights[0]
    assert int(answer.group(1)) == len(set(weights[:, 1].argmax(axis=-1)))
    right_html = get_page(client, step_1, predict=answer.group(1), **query).text
    assert f"and <bdi>{answer.group(1)}</bdi> it is" in right_html


def test_before_a_prediction_nothing_is_revealed(client, step_1):
    assert "reveal" not in client.get(step_1).text


@pytest.mark.parametrize(
    ("option", "verdict"),
    [("sum", "Right."), ("one-word", "Not quite."), ("parameters", "Not quite.")],
)
def test_every_option_of_the_check_is_explained(client, step_1, option, verdict):
    html = get_page(client, step_1, check=option).text
    assert verdict in html
    assert re.search(rf'id="check-{option}"[^>]*aria-pressed="true"', html)


def test_tokens_are_shown_under_their_word(client, step_1):
    html = get_page(client, step_1, text="a zyzzyva sat").text
    assert re.search(r'id="word-1"[^>]*>(<span class="piece">\w+</span>){2,}</button>', html)
    assert "word-bracket" in html


def test_an_unknown_word_is_marked_and_explained(client, step_1):
    html = get_page(client, step_1, text="a 雪 fell").text
    assert '<span class="unknown">雪</span>' in html
    assert "the same unknown token" in html


UNUSUAL_TEXTS = [
    "<script>alert(1)</script> & \"quotes\" 'too'",
    "\u202eright to left\u202c",
    "👩‍👩‍👧‍👦 family",
    "\x00 nul \x07 bell",
    "{{ 7 * 7 }} {word} {nobody} %s",
    "a" * 500,
    "مرحبا بالعالم",
    "e\u0301" * 20,
    "** _md_ [a](b) `c`",
]


@pytest.mark.parametrize("text", UNUSUAL_TEXTS)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_any_text_is_accepted_and_never_becomes_markup(client, step_1, text, headers):
    response = get_page(client, step_1, headers, text=text, predict=1, check="sum")
    assert response.status_code in (200, 422)
    assert "<script>alert" not in response.text
    assert not re.search(r"<(em|strong|code|a)[^>]*>(md|c|a)</", response.text)
    if not headers:
        assert text_field(response.text) == sanitise_text(text)


@pytest.mark.parametrize("raw", ["%ED%A0%BD", "%00", "%FF%FE", "%F0%9F%91%A9%E2%80%8D", "%"])
def test_any_bytes_are_accepted(client, step_1, raw):
    assert client.get(f"{step_1}?text=cat+{raw}").status_code == 200


@pytest.mark.parametrize("text", ["don't雪 cat", "об’єкт cat"])
def test_unknown_pieces_of_a_word_are_marked(client, step_1, text):
    html = get_page(client, step_1, text=text).text
    assert 'class="piece unknown"' in html
    assert "the same unknown token" in html


def test_answering_keeps_an_invalid_sentence_as_typed(client, step_1):
    for text in ("cat " * 60, ""):
        response = get_page(client, step_1, edit=1, text=text, was_text=text, check="sum")
        assert response.status_code == 422
        assert text_field(response.text) == text
        assert "Softmax divides" in response.text
        assert not map_markup(response.text)


def test_pressing_enter_again_adds_no_address(client, step_1):
    address = f"{step_1}?text=a+b&v=1"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{address}"}
    response = get_page(client, step_1, headers, edit=1, text="a b", word=0)
    assert response.headers["hx-replace-url"] == address
    assert "hx-push-url" not in response.headers


MANY_ABLATED_HEADS = ",".join(["9.9"] * 2_000)


@pytest.mark.parametrize(
    "path",
    [
        f"{LESSON}/concatenate-then-mix",
        f"{LESSON}/concatenate-then-mix/export/map.csv",
        f"/api/v1/labs{LESSON}/concatenate-then-mix",
        "/api/v1/predict",
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request-Type": "partial"}])
def test_the_first_of_many_problems_are_listed_and_the_rest_counted(client, path, headers):
    query = {"text": "The [MASK] sat", "off": MANY_ABLATED_HEADS}
    answer = client.get(path, params=query, headers=headers)
    assert answer.status_code == 422
    # A fragment says them a second time, to be read out.
    times = 2 if headers and not path.startswith("/api/") else 1
    assert answer.text.count("There is no head “9.9” to switch off") == 5 * times
    assert answer.text.count("There are 1,995 more problems.") == times
    five_problems = client.get(path, params=query | {"off": ",".join(["9.9"] * 5)}, headers=headers)
    assert five_problems.text.count("There is no head “9.9” to switch off") == 5 * times
    assert "more problem" not in five_problems.text


def test_a_deeper_layer_says_that_it_reads_mixtures(client, step_1):
    assert "already holds a mixture" in get_page(client, step_1, layer=1).text
    assert "already holds a mixture" not in client.get(step_1).text


def test_a_request_to_change_something_is_refused(client, step_1):
    assert client.post(step_1).status_code == 405


@pytest.mark.parametrize("text", ["Stop", "cat cat cat cat", quote("don't"), "The cat " * 24])
def test_unusual_valid_sentences_have_maps_and_a_question(client, step_1, text):
    html = get_page(client, step_1, text=text).text
    thumbs = html.count("map-thumb")
    assert (thumbs, len(map_markup(html)) - thumbs) == ((4, 2) if "map-large" in html else (0, 5))
    assert 'id="predict-1"' in html


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline(client, step_1):
    for path in ("/", step_1, "/docs", "/nowhere"):
        html = client.get(path).text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', html)
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son[a-z]+=", html)


@pytest.mark.parametrize("path", ["/", "/models", "/nowhere", None])
def test_a_link_to_a_page_has_a_title_and_a_picture_elsewhere(client, step_1, path):
    html = client.get(path or step_1).text
    open_graph = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', html))
    assert open_graph["title"] == re.search(r"<title>([^<]*)</title>", html)[1]
    assert len(open_graph["description"]) > 20
    picture = client.get(open_graph["image"].removeprefix("http://testserver"))
    assert open_graph["image"].startswith("http://testserver/static/")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content[16:24] == (1200).to_bytes(4, "big") + (630).to_bytes(4, "big")

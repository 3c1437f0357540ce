import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from app.models import sanitise_text
from tests.pages import LESSON, STEP_PATHS
from tests.web.html import parse_html
from tests.web.requests import HTMX, RESTORE, TYPING


def get_page(client, path, headers=None, **query):
    return client.get(f"{path}?{urlencode(query)}" if query else path, headers=headers or {})


def shown(client, path, headers=None, **query):
    """Return the parsed page or fragment of a view that can be shown."""
    response = get_page(client, path, headers, **query)
    assert response.status_code == 200
    return parse_html(response.text)


def map_markup(html):
    return [svg.source for svg in parse_html(html).find_all("svg.map")]


def text_field(html):
    return parse_html(html).find("input#text")["value"]


def test_home_links_every_step_and_describes_the_lesson(client, step_1):
    html = client.get("/").text
    assert f'href="{step_1}"' in html
    assert set(STEP_PATHS) <= set(re.findall(r'href="(/[\w-]+/[\w-]+)"', html))
    assert "still to be written" not in html
    for fact in ("Multi-head attention", "Intermediate", "10–12 min", "Softmax, Attention"):
        assert fact in html


def test_a_number_redirects_to_the_steps_url_with_its_query(client, step_1):
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


def test_choosing_adds_a_url_to_the_history_and_typing_replaces_it(client, step_1):
    query = {"edit": 1, "text": "a b c", "word": 1}
    url = f"{step_1}?text=a+b+c&word=1&v=1"
    assert get_page(client, step_1, HTMX, **query).headers["hx-push-url"] == url
    assert get_page(client, step_1, TYPING, **query).headers["hx-replace-url"] == url


def test_without_scripts_the_form_redirects_to_the_url_of_the_view(client, step_1):
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
    page = parse_html(response.text)
    assert message in page.find(".problem:not([hidden])").text
    assert text_field(response.text) == "My own <words>"
    assert not map_markup(response.text)
    link = page.find(".problem:not([hidden]) a")
    assert link.text == "Open the nearest view that works"
    nearest = client.get(link["href"])
    assert nearest.status_code == 200
    assert text_field(nearest.text) == "My own <words>"


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
    check = shown(client, step_1, check=option).find("#check")
    assert verdict in check.find(".reveal").text
    (pressed,) = check.find_all("button[aria-pressed=true]")
    assert pressed["value"] == option


def test_before_an_answer_the_check_explains_nothing(client, step_1):
    check = shown(client, step_1).find("#check")
    assert not check.has(".reveal")
    assert not check.has("button[aria-pressed=true]")


def test_the_tokens_of_a_split_word_are_marked(client, step_1):
    page = shown(client, step_1, text="a zyzzyva sat")
    assert len(page.find("button#word-1").find_all(".piece")) >= 2
    assert page.has(".word-bracket")
    assert not page.has("button#word-0 .piece")
    assert not shown(client, step_1).has(".piece")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [("a 雪 fell", ["雪"]), ("don't雪 cat", ["雪"]), ("The cat sat down", []), ("a zyzzyva", [])],
)
def test_exactly_the_unknown_words_and_pieces_are_marked(client, step_1, text, unknown):
    page = shown(client, step_1, text=text)
    assert [each.text for each in page.find_all("button[name=word] .unknown")] + [
        each.text for each in page.find_all("button[name=word].unknown")
    ] == unknown


NOTES = [
    ("words that the models know only in pieces", {"text": "a zyzzyva sat"}),
    ("has no place in the vocabulary", {"text": "a 雪 fell"}),
    ("These weights were drawn at random", {"model": "headwise-h4-random"}),
    ("already holds a mixture", {"layer": 1}),
    ("With a single answer there is little to predict", {"text": "Stop"}),
]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(("note", "query"), NOTES)
def test_a_note_is_shown_where_it_applies_and_nowhere_else(client, step_1, note, query, headers):
    assert note in shown(client, step_1, headers, **query).text
    assert note not in shown(client, step_1, headers).text
    for other_note, other_query in NOTES:
        if other_note != note:
            assert note not in shown(client, step_1, headers, **other_query).text


@pytest.mark.parametrize("path", STEP_PATHS)
def test_no_step_opens_with_unknown_words(client, path):
    page = shown(client, path)
    assert not page.has("button[name=word] .unknown")
    assert "has no place in the vocabulary" not in page.text


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
    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert not re.search(r"<(em|strong|code|a)[^>]*>(md|c|a)</", response.text)
    if not headers:
        assert text_field(response.text) == sanitise_text(text)


@pytest.mark.parametrize("raw", ["%ED%A0%BD", "%00", "%FF%FE", "%F0%9F%91%A9%E2%80%8D", "%"])
def test_any_bytes_are_accepted(client, step_1, raw):
    assert client.get(f"{step_1}?text=cat+{raw}").status_code == 200


def test_answering_keeps_an_invalid_sentence_as_typed(client, step_1):
    for text in ("cat " * 60, ""):
        response = get_page(client, step_1, edit=1, text=text, was_text=text, check="sum")
        assert response.status_code == 422
        assert text_field(response.text) == text
        assert "Softmax divides" in response.text
        assert not map_markup(response.text)


def test_pressing_enter_again_adds_no_url_to_the_history(client, step_1):
    url = f"{step_1}?text=a+b&v=1"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{url}"}
    response = get_page(client, step_1, headers, edit=1, text="a b", word=0)
    assert response.headers["hx-replace-url"] == url
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


def paths_of_lesson(path):
    """The paths of all steps of a step's lesson."""
    lesson = path.rpartition("/")[0]
    return [each for each in STEP_PATHS if each.startswith(f"{lesson}/")]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", STEP_PATHS)
def test_links_to_other_steps_carry_the_sentence_with_its_model(client, path, headers):
    query = {"text": "Birds sing", "model": "headwise-h2"}
    page = shown(client, path, headers, **query, layer=1, head=1, cell="1.0")
    links = [link["href"] for link in page.find_all("#steps a, #next a")]
    assert len(links) >= len(paths_of_lesson(path))
    for link in links:
        if not link.endswith("/end"):
            carried = parse_qs(urlsplit(link).query)
            assert carried == {name: [value] for name, value in query.items()}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", STEP_PATHS)
def test_links_to_other_steps_carry_a_model_other_than_the_default(client, path, headers):
    page = shown(client, path, headers, model="headwise-h2", layer=1)
    for link in page.find_all("#steps a, #next a"):
        if not link["href"].endswith("/end"):
            assert parse_qs(urlsplit(link["href"]).query) == {"model": ["headwise-h2"]}


@pytest.mark.parametrize("path", STEP_PATHS)
def test_links_from_a_default_view_carry_nothing(client, path):
    links = [link["href"] for link in shown(client, path, word=0).find_all("#steps a, #next a")]
    assert set(paths_of_lesson(path)) <= set(links)
    assert not any("?" in link for link in links)


def test_the_next_step_opens_with_the_carried_sentence_and_model(client, step_1):
    page = shown(client, step_1, text="Birds sing", model="headwise-h2")
    following = parse_html(client.get(page.find("#next a")["href"]).text)
    assert following.find("input#text")["value"] == "Birds sing"
    assert following.find("input[name=model]")["value"] == "headwise-h2"


def test_a_request_to_change_something_is_refused(client, step_1):
    assert client.post(step_1).status_code == 405


@pytest.mark.parametrize(
    ("text", "n_large", "n_small"),
    [("Stop", 5, 0), ("cat cat cat cat", 5, 0), ("don't", 5, 0), ("The cat " * 24, 2, 4)],
)
def test_unusual_valid_sentences_have_maps_and_a_question(client, step_1, text, n_large, n_small):
    page = shown(client, step_1, text=text)
    assert len(page.find_all("svg.map-thumb")) == n_small
    assert len(page.find_all("svg.map:not(.map-thumb)")) == n_large
    assert page.has("button#predict-1")


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

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from app.lesson import PREDICTIONS
from app.models import sanitise_text
from tests.pages import LESSON, STEP_PATHS
from tests.shipped import LESSONS, VERSION
from tests.web.html import parse_html, submission_url
from tests.web.requests import HTMX, RESTORE, TYPING


def get_page(client, path, headers=None, **query):
    return client.get(f"{path}?{urlencode(query)}" if query else path, headers=headers or {})


def shown(client, path, headers=None, **query):
    """Return the parsed page or fragment of a view that can be shown."""
    response = get_page(client, path, headers, **query)
    assert response.status_code == 200
    return parse_html(response.text)


def map_markup(html):
    return [svg.source for svg in parse_html(html).find_all("svg.map:not(.row-labels)")]


def text_field(html):
    return parse_html(html).find("input#text")["value"]


def test_home_links_every_step_and_describes_the_lesson(client, step_1):
    html = client.get("/").text
    assert f'href="{step_1}"' in html
    assert set(STEP_PATHS) <= set(re.findall(r'href="(/[\w-]+/[\w-]+)"', html))
    assert "still to be written" not in html
    for fact in ("Multi-head attention", "Predict"):
        assert fact in html
    assert re.search(r"about [\d.]+ minutes", html)


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


@pytest.mark.parametrize(
    "fact",
    [
        "Multi-head attention",
        "Several heads for several kinds of relations",
        "Step 1 of 7",
        "Intermediate",
        "Softmax, Attention",
        "Syntax:",
        "Meaning:",
        "Place:",
        "cat” is its subject",
        "down” is its modifier",
        "runs several heads in parallel",
        "Subject–verb",
        "Verb–modifier",
        "Determiner–noun",
        "Local context",
        "One head",
        "Two heads",
        "Eight heads",
        "GPT-3",
        "learn syntax, others neighbours, similar meanings or what pronouns mean",
        "Trained heads do specialise",
    ],
)
def test_step_1_shows_its_facts(client, step_1, fact):
    assert fact in parse_html(client.get(step_1).text).text


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
    url = f"{step_1}?text=a+b+c&word=1&v={VERSION}"
    assert get_page(client, step_1, HTMX, **query).headers["hx-push-url"] == url
    assert get_page(client, step_1, TYPING, **query).headers["hx-replace-url"] == url


def test_without_scripts_the_form_redirects_to_the_url_of_the_view(client, step_1):
    query = {"edit": 1, "text": "a b c", "model": "headwise-h2", "head": 3, "word": 0}
    response = get_page(client, step_1, **query)
    assert response.status_code == 303
    expected = f"{step_1}?text=a+b+c&model=headwise-h2&word=0&v={VERSION}"
    assert response.headers["location"] == expected


def test_of_two_values_of_one_name_the_pressed_button_wins(client, step_1):
    response = client.get(f"{step_1}?edit=1&text=a+b&word=1&word=0")
    assert response.headers["location"].endswith(f"word=0&v={VERSION}")


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


def test_a_refused_sentence_is_the_only_problem_that_is_reported(client, step_1):
    text = "The cat sat down. " * 12
    for edit in ({}, {"edit": 1}):
        response = get_page(client, step_1, text=text, word=59, cell="58.59", predict="8", **edit)
        assert "This is 12 tokens too long" in response.text
        assert "There is no" not in response.text
    assert "There is no word “59”" in get_page(client, step_1, word=59).text


def test_an_empty_sentence_is_reported(client, step_1):
    response = get_page(client, step_1, text="")
    assert response.status_code == 422
    assert "There is no word here yet" in response.text


def test_a_prediction_is_answered_from_the_learners_own_sentence(client, step_1, models):
    query = {"text": "Dogs chase small cats", "word": 1}
    model = models["headwise-h8"]
    weights = model.run(model.tokenizer.sentence(query["text"])).weights[0]
    right = str(len(set(weights[:, 1].argmax(axis=-1))))
    for choice in shown(client, step_1, **query).find_all("button[name=commit]"):
        page = shown(client, step_1, predict=choice["value"], **query)
        outcome = "right" if choice["value"] == right else "wrong"
        assert page.find("#verdict")["data-outcome"] == outcome
        (marked,) = page.find_all("button.is-right")
        assert marked["value"] == right


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", STEP_PATHS)
def test_before_a_prediction_no_answer_is_computed(client, path, headers, monkeypatch):
    fresh = {"text": "My brother found a small kitten in the garden"}
    computed = []
    for name, each in PREDICTIONS.items():

        def answer(inputs, compute=each.answer, name=name):
            computed.append(name)
            return compute(inputs)

        monkeypatch.setitem(PREDICTIONS, name, replace(each, answer=answer))
    page = shown(client, path, headers, **fresh)
    assert not page.has("#verdict")
    assert not page.has("[data-outcome]")
    assert not page.has(".is-right")
    assert page.has("button#reveal")
    assert computed == []
    assert shown(client, path, headers, reveal=1, **fresh).has("#verdict")
    assert len(computed) == 1


@pytest.mark.parametrize("path", STEP_PATHS)
def test_an_embedded_lab_asks_its_question_and_hides_the_answer(client, path):
    page = shown(client, path, embed=1)
    sections = [each["id"] for each in page.find_all("section#predict, form#lab")]
    assert sections == ["predict", "lab"]
    assert page.has("button#reveal")
    assert page.has("#lab .hidden-part") == shown(client, path).has("#lab .hidden-part")
    assert not page.has("#verdict")
    choice = page.find_all("button[name=commit]")[0]["id"]
    url = client.get(submission_url(page, "lab", f"button#{choice}")).headers["location"]
    answered = parse_html(client.get(url, headers=HTMX).text)
    assert answered.has("#predict #verdict")


def test_a_question_has_the_same_key_on_every_view_that_asks_it(client, step_1):
    def key(**query):
        return shown(client, step_1, **query).find("#predict")["data-question"]

    assert key() == key(predict=3) == key(open="files") == key(head=3)
    assert len({key(), key(word=0), key(text="Birds sing"), key(layer=1)}) == 4


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
    ("A dashed line divides words", {"text": "a zyzzyva sat"}),
    ("Words with a dotted line are not in the vocabulary", {"text": "a 雪 fell"}),
    ("These weights are random", {"model": "headwise-h4-random"}),
    ("already holds a mixture", {"layer": 1}),
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
    assert "not in the vocabulary" not in page.text


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
    response = get_page(client, step_1, headers, text=text, check="sum")
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
    url = f"{step_1}?text=a+b&v={VERSION}"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{url}"}
    response = get_page(client, step_1, headers, edit=1, text="a b", word=1)
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
    assert answer.text.count("There is no head “9.9” to switch off") == 5
    assert answer.text.count("There are 1,995 more problems.") == 1
    five_problems = client.get(path, params=query | {"off": ",".join(["9.9"] * 5)}, headers=headers)
    assert five_problems.text.count("There is no head “9.9” to switch off") == 5
    assert "more problem" not in five_problems.text


def paths_of_lesson(path):
    """The paths of all steps of a step's lesson."""
    lesson = path.rpartition("/")[0]
    return [each for each in STEP_PATHS if each.startswith(f"{lesson}/")]


def links_to_steps(page):
    links = [link["href"] for link in page.find_all("#steps a, #next a")]
    return [link for link in links if not link.endswith("/end")]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("path", STEP_PATHS)
@pytest.mark.parametrize(
    "carried",
    [
        {"text": "Birds sing"},
        {"text": "My dog chased it", "word": "0"},
        {"text": "Birds sing", "model": "headwise-h2", "reveal": "1"},
        {"model": "headwise-h2"},
        {"reveal": "1"},
    ],
)
def test_links_to_other_steps_carry_what_the_learner_chose(client, path, headers, carried):
    page = shown(client, path, headers, **carried, layer=1, cell="1.0", open="files")
    links = links_to_steps(page)
    assert {urlsplit(link).path for link in links} == {*paths_of_lesson(path)}
    for link in links:
        assert dict(parse_qsl(urlsplit(link).query)) == carried


@pytest.mark.parametrize("path", STEP_PATHS)
def test_links_from_a_default_view_carry_nothing(client, path):
    links = links_to_steps(shown(client, path))
    assert set(paths_of_lesson(path)) <= set(links)
    assert not any("?" in link for link in links)


@pytest.mark.parametrize("path", STEP_PATHS)
def test_an_answer_stays_with_its_step(client, path):
    choice = shown(client, path).find_all("button[name=commit]")[0]["value"]
    for link in links_to_steps(shown(client, path, predict=choice)):
        assert "?" not in link


@pytest.mark.parametrize("path", STEP_PATHS)
def test_every_step_opens_with_a_model_of_its_own(client, path, models):
    (own,) = [step.config.defaults for step in LESSONS[0].steps if path.endswith(step.slug)]
    page = shown(client, path, text="Birds sing at dawn")
    previous = {each["name"]: each["value"] for each in page.find_all("#lab-fields input")}
    assert (previous["was_model"], previous["was_head"]) == (own.model, str(own.head))
    assert "model" not in previous


def test_the_next_step_opens_with_the_carried_sentence_and_the_model_chosen_by_hand(client, step_1):
    page = shown(client, step_1, text="Birds sing", model="headwise-h2", word=1)
    following = parse_html(client.get(page.find("#next .next-step")["href"]).text)
    assert following.find("input#text")["value"] == "Birds sing"
    assert following.find("input[name=model]")["value"] == "headwise-h2"
    assert following.find("input[name=word]")["value"] == "1"


def test_a_frame_and_an_assignment_travel_to_other_steps(client, step_1):
    page = shown(client, step_1, task="abc", text="Birds sing")
    assert all(link.endswith("&task=abc") for link in links_to_steps(page))


def test_a_request_to_change_something_is_refused(client, step_1):
    assert client.post(step_1).status_code == 405


@pytest.mark.parametrize("text", ["Stop", "cat cat cat cat", "don't", "The cat " * 24])
def test_unusual_valid_sentences_have_maps_and_a_question_or_why_there_is_none(
    client, step_1, text
):
    page = shown(client, step_1, text=text)
    assert len(page.find_all("svg.map")) >= 5
    has_choices = page.has("button#predict-1")
    assert has_choices == (len(text.split()) > 1)
    if not has_choices:
        assert page.find("#predict p").text
        assert not page.has("#lab .hidden-part")


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline(client, step_1):
    for path in ("/", step_1, "/docs", "/nowhere"):
        html = client.get(path).text
        assert not re.findall(r'(?:src|action)="(?:https?:)?//', html)
        assert not re.findall(r'<link[^>]*href="(?:https?:)?//', html)
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

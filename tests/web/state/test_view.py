from urllib.parse import parse_qs, parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import CONTROLS, Defaults, Lab
from app.lesson.labs.lab_state import COMMON_CONTROLS, LAYOUTS
from app.lesson.schema import Check, Prediction
from app.models import sanitise_text
from app.web.state.links import canonical_query
from app.web.state.step_prediction import StepPrediction
from app.web.state.versions import PinnedVersion
from app.web.state.view import parse_answers, parse_view

DEFAULTS = Defaults(text="The cat sat down", model="headwise-h4", head=2, word=2)
VERSION = "1"
LAB = Lab(
    run=lambda state: state,
    extra_controls=tuple(name for name in CONTROLS if name not in COMMON_CONTROLS),
    layouts=LAYOUTS,
)
"""A lab that has every control and every layout."""

PREDICTION = Prediction(
    question="How many?",
    computed_by="distinct_top_words",
    declared="1",
    right="Yes.",
    wrong="No.",
    reveal="It is.",
)
CHECK_IDS = ("sum", "one-word", "width")
CHECK = Check(
    question="Which?",
    options=[{"id": each, "text": each, "feedback": "It is."} for each in CHECK_IDS],
)


def parse(models, query):
    version = PinnedVersion(VERSION, DEFAULTS)
    parsed = parse_view(query, version, models, LAB)
    prediction = StepPrediction(PREDICTION, parsed.view.selection, models)
    return parse_answers(query, parsed, prediction, CHECK)


def query_of(models, view, version=VERSION):
    return canonical_query(view.query_params, DEFAULTS, view.model.card, version)


def problems(models, **query):
    return {problem.name: problem.message for problem in parse(models, query).problems}


def test_a_bare_address_is_the_default_view(models):
    parsed = parse(models, {})
    assert not parsed.problems
    view = parsed.view
    assert (view.text, view.model_id) == ("The cat sat down", "headwise-h4")
    assert (view.layer, view.head, view.word) == (0, 2, 2)
    assert view.predict is view.check is None


@st.composite
def control_queries(draw, card, n_tokens):
    """Any of the controls, as an address says them, in its order."""
    heads = [f"{layer}.{head}" for layer in range(card.n_layers) for head in range(card.n_heads)]
    token = st.integers(0, n_tokens - 1)
    values = {
        "causal": st.just("1"),
        "unscaled": st.just("1"),
        "weighted": st.just("1"),
        "shuffled": st.just("1"),
        "off": st.sets(st.sampled_from(heads), min_size=1).map(lambda off: ",".join(sorted(off))),
        "groups": st.sampled_from([g for g in (1, 2, 4) if g < card.n_heads] or [""]).map(str),
        "cell": st.tuples(token, token).map(lambda cell: f"{cell[0]}.{cell[1]}"),
        "minus": st.sampled_from(["headwise-h1.0", "headwise-h8-random.7"]),
        "show": st.sampled_from(LAYOUTS),
        "lock": st.just("1"),
        "hide": st.just("1"),
    }
    assert tuple(values) == CONTROLS
    chosen = {name: draw(value) for name, value in values.items() if draw(st.booleans())}
    return {name: value for name, value in chosen.items() if value}


@given(st.data())
def test_view_to_address_to_view_is_the_identity(models, data):
    text = sanitise_text(data.draw(st.text(min_size=1, max_size=40)))
    model = data.draw(st.sampled_from(models.ids))
    sentence = models[model].tokenizer.sentence(text)
    if not 0 < len(sentence.tokens) <= 48:
        return
    card = models[model].card
    query = {
        "text": text,
        "model": model,
        "layer": str(data.draw(st.integers(0, card.n_layers - 1))),
        "head": str(data.draw(st.integers(0, card.n_heads - 1))),
        "word": str(data.draw(st.integers(0, len(sentence.words) - 1))),
    }
    query |= data.draw(control_queries(card, len(sentence.tokens)))
    if data.draw(st.booleans()):
        query["predict"] = data.draw(
            st.sampled_from([str(n + 1) for n in range(min(card.n_heads, len(sentence.words)))])
        )
    if data.draw(st.booleans()):
        query["check"] = data.draw(st.sampled_from(CHECK_IDS))
    parsed = parse(models, query)
    assert not parsed.problems
    for version in (None, VERSION):
        link_query = dict(parse_qsl(query_of(models, parsed.view, version), keep_blank_values=True))
        assert link_query.pop("v", None) == version
        assert link_query.items() <= query.items()
        assert version is not None or link_query == query
        assert parse(models, link_query).view == parsed.view


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"model": "h3"},
            "There is no model “h3”. There are headwise-h1, headwise-h2, headwise-h4,",
        ),
        ({"layer": "2"}, "There is no layer “2” here. There are layers 0 to 1."),
        ({"layer": "-1"}, "There is no layer “-1” here."),
        ({"layer": "1.0"}, "There is no layer “1.0” here."),
        ({"word": "0000000000002"}, "There are words 0 to 3."),
        ({"layer": "１"}, "There is no layer “１” here."),
        ({"layer": ""}, "There is no layer “” here."),
        ({"head": "4"}, "There are heads 0 to 3."),
        ({"head": "1", "model": "headwise-h1"}, "There is only head 0."),
        ({"head": "9" * 5000}, "There is no head “" + "9" * 59 + "…” here."),
        ({"word": "4"}, "There are words 0 to 3."),
        ({"predict": "7"}, "“7” is none of the values of predict. There are 1, 2, 3 and 4."),
        ({"check": "maybe"}, "There are sum, one-word and width."),
        ({"causal": "yes"}, "“yes” is none of the values of causal. There are 0 and 1."),
        ({"off": "0.4"}, "There is no head “0.4” to switch off."),
        ({"groups": "3"}, "“3” is none of the values of groups. There are 1, 2 and 4."),
        ({"cell": "4.0"}, "There is no cell “4.0” here. Name a query and a key of 0 to 3, as in"),
        ({"cell": "x"}, "There is no cell “x” here."),
        ({"minus": "headwise-h4.4"}, "There is no head “headwise-h4.4” to compare with."),
    ],
)
def test_an_invalid_value_is_reported_with_the_allowed_ones(models, query, message):
    (reported,) = problems(models, **query).values()
    assert message in reported


@pytest.mark.parametrize(
    "query",
    [
        {"model": "h3", "layer": "7", "head": "x", "word": "99", "predict": "0", "check": "?"},
        {"text": "", "word": "3"},
        {"text": "very " * 60, "word": "50", "head": "8"},
    ],
)
def test_the_nearest_view_works(models, query):
    parsed = parse(models, query)
    assert parsed.problems
    nearest = {name: values[0] for name, values in parse_qs(query_of(models, parsed.view)).items()}
    assert not parse(models, nearest).problems


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("-5", 0), ("9", 3), ("999999", 3), ("1" + "0" * 4000, 3), ("-" + "9" * 4000, 0), ("x", 2)],
)
def test_the_nearest_number_is_offered(models, value, nearest):
    assert parse(models, {"head": value}).view.head == nearest


def test_without_a_word_in_the_url_another_sentence_starts_at_its_first(models):
    assert parse(models, {"text": "Birds sing at dawn"}).view.word == 0


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\x00", "\x07", "\u2028"])
def test_characters_that_a_field_cannot_hold_become_spaces(models, sign):
    parsed = parse(models, {"text": f"The cat{sign}sat"})
    assert parsed.view.text == parsed.typed_text == "The cat" + " " * len(sign) + "sat"


def test_messages_contain_no_bidirectional_controls(models):
    (reported,) = problems(models, model="\u202eabc").values()
    assert "“�abc”" in reported


def test_a_number_that_is_too_large_comes_back_as_the_last_one(models):
    assert parse(models, {"head": "7", "word": "30"}).view.head == 3
    assert parse(models, {"head": "7", "word": "30"}).view.word == 3


def test_blank_text_asks_for_a_sentence_and_for_nothing_else(models):
    for blank in ("", "  ", "\x00", "\u200d"):
        assert list(problems(models, text=blank, word="3")) == ["text"]


@pytest.mark.parametrize(("n", "over"), [(49, "1 token"), (60, "12 tokens")])
def test_the_excess_of_a_long_sentence_is_reported_and_it_is_kept(models, n, over):
    parsed = parse(models, {"text": "cat " * n})
    assert f"This is {over} too long" in parsed.text_problem.message
    assert parsed.typed_text == "cat " * n
    assert len(parsed.view.sentence.tokens) == 48


def test_the_longest_sentence_is_long_enough(models):
    assert not problems(models, text="cat " * 48)


def test_unknown_parameters_are_ignored(models):
    assert not problems(models, utm_source="mail")

from urllib.parse import parse_qs, parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lesson import CONTROLS, Defaults, Lab
from app.lesson.labs.lab_state import COMMON_CONTROLS, LAYOUTS, PANELS, STAGES
from app.lesson.schema import Check, Prediction
from app.models import sanitise_text
from app.web.state.links import canonical_query, default_params
from app.web.state.step_prediction import StepPrediction
from app.web.state.versions import PinnedVersion
from app.web.state.view import parse_answers, parse_view

DEFAULTS = Defaults(text="The cat sat down", model="headwise-h4", head=2, word=2)
VERSION = "1"
LAB = Lab(
    run=lambda state: state,
    extra_controls=tuple(name for name in CONTROLS if name not in COMMON_CONTROLS),
    layouts=tuple(layout for layout in LAYOUTS if layout != "overview"),
)
"""A lab that has every control and every layout."""

PREDICTION = Prediction(
    question="How many?",
    computed_by="distinct_words",
    declared="1",
    right="Yes.",
    wrong="No.",
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
    defaults = default_params(view, PinnedVersion(version, DEFAULTS))
    return canonical_query(view.query_params, defaults, version)


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
        "show": st.sampled_from(LAB.layouts),
        "hide": st.just("1"),
        "stage": st.sampled_from(STAGES),
        "open": st.sampled_from(PANELS),
        "text2": st.text(min_size=1, max_size=9).map(sanitise_text),
        "model2": st.sampled_from(["headwise-h1", "headwise-h8-random"]),
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
    choices = StepPrediction(PREDICTION, parse(models, query).view.selection, models).question
    if choices.choice_ids and data.draw(st.booleans()):
        query["predict"] = data.draw(st.sampled_from(choices.choice_ids))
    if data.draw(st.booleans()):
        query["check"] = data.draw(st.sampled_from(CHECK_IDS))
    if data.draw(st.booleans()):
        query["reveal"] = "1"
    parsed = parse(models, query)
    assert not parsed.problems
    for version in (None, VERSION):
        link_query = dict(parse_qsl(query_of(models, parsed.view, version), keep_blank_values=True))
        assert link_query.pop("v", None) == version
        spelled_out = query | {"open": parsed.view.controls.panel or None}
        assert link_query.items() <= spelled_out.items()
        assert version is not None or link_query.items() >= query.items()
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
        ({"reveal": "yes"}, "“yes” is none of the values of reveal. There are 0 and 1."),
        ({"open": "all"}, "“all” is none of the values of open. There are change, row, explain,"),
        ({"stage": "all"}, "There are products, scaled and masked."),
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


def test_without_a_word_in_the_url_the_longest_of_another_sentence_asks(models):
    assert parse(models, {"text": "My dog chased it"}).view.word == 2
    assert parse(models, {"text": "My dog chased it", "model": "headwise-h1"}).view.word == 2


def test_in_a_version_that_said_so_the_first_word_asks(models):
    version = PinnedVersion(VERSION, DEFAULTS, first_word_asks=True)
    assert parse_view({"text": "My dog chased it"}, version, models, LAB).view.word == 0
    assert parse_view({}, version, models, LAB).view.word == DEFAULTS.word


def test_an_empty_model_is_the_steps_own(models):
    view = parse(models, {"model": ""}).view
    assert (view.model_id, view.has_chosen_model) == ("headwise-h4", False)
    assert parse(models, {"model": "headwise-h4"}).view.has_chosen_model
    assert not parse(models, {"model": "h3"}).view.has_chosen_model


def test_layer_and_head_of_the_step_are_clamped_to_a_chosen_model(models):
    view = parse(models, {"model": "headwise-h1"}).view
    assert (view.layer, view.head) == (0, 0)


@pytest.mark.parametrize(
    ("query", "panel"),
    [
        ({}, ""),
        ({"open": "numbers"}, "numbers"),
        ({"open": ""}, ""),
        ({"cell": "1.0"}, "explain"),
        ({"minus": "headwise-h1.0"}, "compare"),
        ({"cell": "1.0", "minus": "headwise-h1.0"}, "explain"),
        ({"cell": "1.0", "open": "files"}, "files"),
        ({"show": "overview"}, "heads"),
        ({"show": "overview", "cell": "1.0"}, "heads"),
        ({"show": "overview", "open": "files"}, "files"),
    ],
)
def test_a_link_opens_the_panel_of_what_it_asks_for(models, query, panel):
    parsed = parse(models, query)
    assert not parsed.problems
    assert parsed.view.controls.panel == panel
    assert parsed.view.controls.layout == ""


@pytest.mark.parametrize(
    ("query", "reveal"),
    [({}, False), ({"reveal": "1"}, True), ({"reveal": "0"}, False), ({"reveal": ""}, False)],
)
def test_the_answer_is_shown_before_a_prediction_only_if_the_link_says_so(models, query, reveal):
    view = parse(models, query).view
    assert view.reveal == view.is_revealed == reveal


def test_a_version_that_asked_otherwise_shows_everything_unless_its_link_says_so(models):
    version = PinnedVersion(VERSION, DEFAULTS, asked_otherwise=True)
    for query, reveal in [({}, True), ({"reveal": "0"}, False), ({"reveal": "1"}, True)]:
        assert parse_view(query, version, models, LAB).view.reveal == reveal


@pytest.mark.parametrize("asked_otherwise", [False, True])
@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("predict", [None, "1"])
def test_what_is_revealed_survives_its_address(models, asked_otherwise, reveal, predict):
    version = PinnedVersion(VERSION, DEFAULTS, asked_otherwise=asked_otherwise)
    view = parse_view({"reveal": str(int(reveal))}, version, models, LAB).view
    view = view.replace(predict=predict)
    link = canonical_query(view.query_params, default_params(view, version), VERSION)
    query = dict(parse_qsl(link))
    assert parse_view(query, version, models, LAB).view.reveal == reveal
    # An old link with an answer says nothing of `reveal`: see `requested_view`.
    assert ("reveal" in query) == (asked_otherwise and (predict is not None or not reveal)) or (
        reveal and not asked_otherwise
    )


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


def test_an_answer_to_a_question_without_choices_is_a_problem(models):
    reported = problems(models, text="Stop", predict="1")
    assert reported == {"predict": "The question of this step has no answer on this sentence."}


def test_unknown_parameters_are_ignored(models):
    assert not problems(models, utm_source="mail")

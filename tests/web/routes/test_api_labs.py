import numpy as np
import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.lesson import CONTROLS, LABS, load_lessons
from app.settings import Settings, site_folder
from app.web.routes.api_labs import QUERY_DESCRIPTIONS
from app.web.state.versions import VERSION_PARAM
from app.web.state.view import SELECTION_PARAMS
from tests.pages import LESSON
from tests.shipped import VERSION

API = f"/api/v1/labs{LESSON}"


@pytest.fixture(scope="module")
def steps(client):
    return [step for lesson in client.get("/api/v1/lessons").json() for step in lesson["steps"]]


def test_every_lesson_is_listed_with_its_steps(client, models):
    lessons = load_lessons(site_folder("lessons"), models).lessons
    listed = client.get("/api/v1/lessons").json()
    assert [lesson["slug"] for lesson in listed] == [lesson.slug for lesson in lessons]
    for lesson, answer in zip(lessons, listed, strict=True):
        assert (answer["title"], answer["version"]) == (lesson.config.title, lesson.config.version)
        assert [(step["number"], step["title"], step["path"]) for step in answer["steps"]] == [
            (step.number, step.config.title, f"/{lesson.slug}/{step.slug}") for step in lesson.steps
        ]
        minutes = sum(step["minutes"] for step in answer["steps"])
        assert abs(answer["minutes"] - minutes) <= 0.25 * len(answer["steps"])


def test_every_step_is_listed_with_the_address_of_its_numbers(client, steps):
    for step in steps:
        assert client.get(step["path"]).status_code == 200
        assert client.get(step["lab"]).status_code == 200


def test_every_lab_returns_everything_but_its_pictures(client, steps):
    for step in steps:
        answer = client.get(step["lab"], params={"text": "Birds sing at dawn", "cell": "1.1"})
        body = answer.json()
        assert "<svg" not in answer.text
        weights = np.array(body["weights"])
        assert weights.shape[1:] == (4, 4)
        assert np.allclose(weights.sum(axis=-1), 1, atol=1e-5)
        assert len(str(body["lab"])) > 200
        assert body["explained"]["weight"] == pytest.approx(
            weights[int(body["view"]["head"])][1][1], abs=1e-5
        )
        choices = [choice["id"] for choice in body["prediction"]["choices"]]
        assert set(body["prediction"]["answers"]) <= set(choices)


HEAD_FIELDS = """heads heads.head heads.chosen heads.mean_entropy
    heads.reading heads.reading.word heads.reading.weight heads.reading.place heads.reading.is_self
    heads.strongest heads.strongest.query heads.strongest.key heads.strongest.weight"""

LAB_FIELDS = {
    "side-by-side": f"panels panels.model {HEAD_FIELDS.replace('heads', 'panels.heads')}"
    " too_long_for",
    "pipeline": f"""columns columns.is_largest columns.key columns.total divisor
        stages stages.formula stages.largest stages.name
        {HEAD_FIELDS.replace("heads", "figure")}""",
    "nudge": f"""amount first_input largest n_inputs shapes shapes.shape shapes.stage sliced_head
        token ways ways.name ways.changes ways.changes.head ways.changes.changed ways.changes.moved
        {HEAD_FIELDS}""",
    "budget": f"""counters counters.attention_parameters counters.cells counters.chosen
        counters.products counters.member counters.member.card counters.member.found
        counters.member.seeds counters.member.training divisor entropies hidden_text
        losses losses.best_heads losses.most_heads losses.n_seeds losses.runs
        losses.difference losses.difference.high losses.difference.low losses.difference.mean
        models models.card models.chosen models.decides models.guess models.guess.card
        models.guess.probability models.guess.rank models.guess.top_tokens
        models.guess.top_tokens.is_piece models.guess.top_tokens.probability
        models.guess.top_tokens.text {HEAD_FIELDS}""",
    "mix": f"""averaged contributions contributions.head contributions.length contributions.off
        guesses guesses.is_next guesses.text
        guesses.after guesses.after.is_piece guesses.after.probability guesses.after.text
        guesses.before guesses.before.is_piece guesses.before.probability guesses.before.text
        output_value output_value.bias output_value.dimension output_value.total
        output_value.summands output_value.summands.head output_value.summands.value
        predicts_tokens switches switches.head switches.off
        {HEAD_FIELDS}""",
    "measures": f"""licence sentence treebank measures measures.distance measures.entropy
        measures.head measures.labels
        measures.record measures.record.finding measures.record.found measures.record.offset
        measures.record.offset_share measures.record.offset_share.hits
        measures.record.offset_share.n measures.record.finding.direction
        measures.record.finding.relation
        measures.record.finding.dev measures.record.finding.dev.hits measures.record.finding.dev.n
        measures.record.finding.test measures.record.finding.test.hits
        measures.record.finding.test.n
        measures.scores measures.scores.here measures.scores.name measures.scores.shuffled
        {HEAD_FIELDS}""",
    "sharing": f"""cache cache.megabytes cache.model cache.model.d_head cache.model.heads
        cache.model.kv_heads cache.model.layers cache.model.name cache.model.source cache.numbers
        cache.without_sharing code groupings losses losses.change losses.groups losses.half moved
        n_tokens {HEAD_FIELDS}""",
}
"""The names in `lab` by the name of the lab: programs depend on them, so none may go. Of a model's
card, whose names are those of `/api/v1/models`, only its own name is here.
"""

EXPLAINED_FIELDS = """among_shown divisor elements elements.key elements.product elements.query
    exponential head key key_token length masked query query_token row_largest row_sum scaled score
    weight weighted"""

COMPARED_FIELDS = "head layer model moved"


def field_names(value, prefix=""):
    """The names in a JSON value, dotted, without those of a model's card and its training."""
    if isinstance(value, list):
        return {name for each in value for name in field_names(each, prefix)}
    if not isinstance(value, dict) or prefix.endswith(("panels.model.", "card.", "training.")):
        return set()
    names = {f"{prefix}{name}" for name in value}
    return names.union(*(field_names(part, f"{prefix}{name}.") for name, part in value.items()))


def test_every_lab_has_its_documented_fields(client, models):
    lessons = load_lessons(site_folder("lessons"), models).lessons
    query = {"text": "Birds sing at dawn", "off": "0.1", "groups": "2", "cell": "1.1"}
    for lesson in lessons:
        for step in lesson.steps:
            url = f"/api/v1/labs/{lesson.slug}/{step.slug}"
            body = client.get(url, params=query | {"minus": "headwise-h1.0"}).json()
            assert field_names(body["lab"]) == set(LAB_FIELDS[step.config.lab.name].split())
            assert field_names(body["explained"]) == set(EXPLAINED_FIELDS.split())
            assert field_names(body["compared"]) == set(COMPARED_FIELDS.split())


def test_a_lab_says_which_cell_and_which_head_it_explains_and_compares(client, steps):
    for step in steps:
        query = {"text": "Birds sing at dawn", "cell": "2.1", "minus": "headwise-h1.0"}
        body = client.get(step["lab"], params=query).json()
        explained, texts = body["explained"], [token["text"] for token in body["tokens"]]
        assert (explained["query_token"], explained["key_token"]) == (2, 1)
        assert (explained["query"], explained["key"]) == (texts[2], texts[1])
        assert (body["compared"]["model"], body["compared"]["head"]) == ("headwise-h1", 0)
        assert len(body["sets"]) == len(body["weights"])
        plain = client.get(step["lab"], params={"text": "Birds sing at dawn"}).json()
        assert (plain["explained"], plain["compared"]) == (None, None)


def test_the_description_says_that_a_lab_is_an_object(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    properties = schemas["LabOut"]["properties"]
    assert properties["lab"]["type"] == "object"
    for name in ("explained", "compared"):
        assert {each["type"] for each in properties[name]["anyOf"]} == {"object", "null"}
    assert set(schemas["LabOut"]["required"]) == set(properties)


def test_numbers_are_those_of_the_other_ways_to_ask(client):
    query = {"text": "Birds sing at dawn", "model": "headwise-h8", "layer": "1"}
    lab = client.get(f"{API}/concatenate-then-mix", params=query).json()["weights"]
    attention = client.get("/api/v1/attention", params=query).json()["weights"]
    assert np.allclose(lab, attention, atol=1e-5)


def test_a_control_changes_the_numbers_and_is_returned(client):
    default = client.get(f"{API}/rows-ask-columns-answer").json()
    causal = client.get(f"{API}/rows-ask-columns-answer", params={"causal": "1"}).json()
    assert causal["view"]["causal"] == "1"
    assert np.triu(np.array(causal["weights"]), 1).max() == 0
    assert np.triu(np.array(default["weights"]), 1).max() > 0


def test_the_link_in_the_answer_opens_the_view(client):
    body = client.get(f"{API}/measure-before-you-name", params={"shuffled": "1"}).json()
    assert body["link"] == f"{LESSON}/measure-before-you-name?shuffled=1&v={VERSION}"
    assert client.get(body["link"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [({"text": ""}, "text"), ({"layer": "9"}, "layer"), ({"cell": "x"}, "cell"), ({"v": "9"}, "v")],
)
def test_an_invalid_parameter_is_reported_by_name(client, query, name):
    answer = client.get(f"{API}/project-do-not-slice", params=query)
    assert answer.status_code == 422
    assert [problem["name"] for problem in answer.json()["error"]["problems"]] == [name]


@pytest.mark.parametrize("path", ["nowhere/x", "multi-head-attention/nowhere"])
def test_an_unknown_step_is_a_404_in_json(client, path):
    answer = client.get(f"/api/v1/labs/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == 404


def test_every_parameter_that_changes_numbers_is_described():
    pictures = {"show", "stage", "open", "text2", "model2"}
    assert set(QUERY_DESCRIPTIONS) == {
        *SELECTION_PARAMS,
        VERSION_PARAM,
        *(set(CONTROLS) - pictures),
    }
    assert {name for lab in LABS.values() for name in lab.controls} - pictures <= set(
        QUERY_DESCRIPTIONS
    )


def test_too_many_requests_get_a_retry_after():
    with TestClient(create_app(Settings(api_per_minute=3))) as client:
        answers = [client.get("/api/v1/models") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "More than 3 requests" in answers[-1].json()["error"]["problems"][0]["message"]
        step = f"{LESSON}/why-one-head-is-not-enough"
        assert client.get(f"{step}/export/map.png").status_code == 429
        for free in (step, f"{step}/numbers", f"{step}/handout", "/models"):
            assert client.get(free).status_code == 200

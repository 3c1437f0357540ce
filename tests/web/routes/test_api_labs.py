import numpy as np
import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.lesson import CONTROLS, LABS
from app.settings import Settings
from app.web.routes.api_labs import QUERY_DESCRIPTIONS
from app.web.state.versions import VERSION_PARAM
from app.web.state.view import SELECTION_PARAMS
from tests.pages import LESSON, STEP_PATHS

API = f"/api/v1/labs{LESSON}"


@pytest.fixture(scope="module")
def steps(client):
    return [step for lesson in client.get("/api/v1/lessons").json() for step in lesson["steps"]]


def test_every_step_is_listed_with_the_address_of_its_numbers(client, steps):
    assert [step["path"] for step in steps] == STEP_PATHS
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
    assert body["link"] == f"{LESSON}/measure-before-you-name?shuffled=1&v=1"
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
    pictures = {"show", "lock"}
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


def test_scripts_of_other_sites_may_read_only_where_they_are_allowed(client):
    origin = "https://school.example"
    closed = client.get("/api/v1/models", headers={"Origin": origin})
    assert "access-control-allow-origin" not in closed.headers
    with TestClient(create_app(Settings(cors_origins=origin))) as allowing:
        allowed = allowing.get("/api/v1/models", headers={"Origin": origin})
        assert allowed.headers["access-control-allow-origin"] == origin
        other_origin = allowing.get("/api/v1/models", headers={"Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other_origin.headers

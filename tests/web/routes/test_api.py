import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


def problems(response):
    assert response.status_code == 422
    return response.json()["error"]["problems"]


def test_models_are_listed_with_their_shapes_and_cards(client):
    listed = client.get("/api/v1/models").json()
    ids = [f"headwise-h{h}" for h in (1, 2, 4, 8)]
    assert [model["id"] for model in listed] == ids + [f"{id}-random" for id in ids]
    for model in listed:
        assert model["n_heads"] * model["d_head"] == model["d_model"] == 128
        assert model["n_layers"] == 2
        assert model["max_tokens"] == 48
    for trained, twin in zip(listed[:4], listed[4:], strict=True):
        assert (trained["source"], twin["source"]) == ("trained", "random")
        assert trained["card"]["training"]["command"].startswith("python -m training.train")
        assert twin["card"]["training"] is None


def test_the_record_of_a_models_heads_is_served_with_its_labels(client, models):
    evidence = models.evidence_of(models["headwise-h4"])
    answer = client.get("/api/v1/models/headwise-h4/heads").json()
    assert answer["record"] == evidence.model_dump(mode="json")
    assert answer["relations_found"] == evidence.relations_found
    assert answer["labels"]["0.2"] == evidence.labels(evidence.heads[2])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("h3", "There is no model “h3”"), ("headwise-h4-random", "have not been measured")],
)
def test_a_missing_record_is_explained(client, name, reason):
    response = client.get(f"/api/v1/models/{name}/heads")
    assert response.status_code == 404
    assert reason in response.json()["error"]["problems"][0]["message"]


def test_attention_is_that_of_the_model(client, models):
    answer = client.get("/api/v1/attention?text=The+cat+sat+down&model=headwise-h4&layer=1").json()
    assert answer["model"] == "headwise-h4"
    assert answer["layer"] == 1
    assert answer["tokens"][1] == {
        "text": "cat",
        "start": 4,
        "end": 7,
        "word": 1,
        "known": True,
        "special": False,
    }
    model = models["headwise-h4"]
    weights = model.run(model.tokenizer.sentence("The cat sat down")).weights[1]
    np.testing.assert_allclose(answer["weights"], weights, atol=1e-7)


@given(
    st.lists(
        st.sampled_from(["the", "cat", "zyzzyva", "don't", "雪", "."]), min_size=1, max_size=9
    ),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([0, 1]),
)
def test_every_row_sums_to_one(client, words, n_heads, layer):
    query = {"text": " ".join(words), "model": f"headwise-h{n_heads}", "layer": layer}
    answer = client.get("/api/v1/attention", params=query).json()
    weights = np.array(answer["weights"])
    n = len(answer["tokens"])
    assert weights.shape == (n_heads, n, n)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)


def test_the_longest_sentence_sums_to_one_too(client):
    answer = client.get("/api/v1/attention", params={"text": "cat " * 48}).json()
    np.testing.assert_allclose(np.sum(answer["weights"], axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("text=a&model=h3", "model", "There is no model “h3”"),
        ("text=a&layer=2", "layer", "There are layers 0 to 1"),
        ("text=a&layer=x", "layer", "There is no layer “x” here"),
        ("text=", "text", "There is no word here yet"),
        ("", "text", "text: Field required"),
        ("text=" + "a+" * 50, "text", "This is 2 tokens too long"),
    ],
)
def test_an_invalid_value_is_reported(client, query, name, message):
    (problem,) = problems(client.get(f"/api/v1/attention?{query}"))
    assert problem["name"] == name
    assert message in problem["message"]


def test_allowed_values_are_listed(client):
    (problem,) = problems(client.get("/api/v1/attention?text=a&layer=7"))
    assert problem["allowed"] == ["0", "1"]


def test_all_problems_are_reported_at_once(client):
    reported = problems(client.get("/api/v1/attention?text=&model=h3&layer=9"))
    assert [problem["name"] for problem in reported] == ["model", "layer", "text"]


def test_a_wrong_address_under_api_is_json(client):
    for response, status in (
        (client.get("/api/v1/nothing"), 404),
        (client.get("/api/v1"), 404),
        (client.post("/api/v1/attention"), 405),
    ):
        error = response.json()["error"]
        assert response.status_code == error["status"] == status
        (problem,) = error["problems"]
        assert problem["message"]
        assert problem["allowed"] == []


def test_healthz(client):
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok")
    assert client.head("/healthz").status_code == 200


def test_the_reference_shows_every_operation_of_the_description(client):
    html = client.get("/docs").text
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in html


def predict(client, **query):
    return client.get("/api/v1/predict", params=query)


def test_masks_are_filled(client):
    answer = predict(client, text="She opened the [MASK] and left", top=3).json()
    assert answer["model"] == "headwise-h4"
    assert answer["off"] == []
    (blank,) = answer["blanks"]
    assert answer["tokens"][blank["token"]]["text"] == "[MASK]"
    assert len(blank["guesses"]) == 3
    assert blank["guesses"][0]["text"] == "door"


def test_heads_can_be_switched_off(client):
    text = "She opened the [MASK] and left"
    answer = predict(client, text=text, off="0.2,1.0").json()
    assert answer["off"] == [[0, 2], [1, 0]]
    assert answer["blanks"] != predict(client, text=text).json()["blanks"]


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ({"text": "no blank here"}, "text", "Write [MASK] in place of the word"),
        ({"text": "[MASK]", "off": "0.4"}, "off", "There is no head “0.4” to switch off"),
        ({"text": "[MASK]", "off": "2.0"}, "off", "a layer of 0 to 1 and a head of 0 to 3"),
        ({"text": "[MASK]", "off": "x"}, "off", "“x”"),
        ({"text": "[MASK]", "top": "0"}, "top", "greater than or equal to 1"),
        ({"text": "[MASK] " * 49}, "text", "1 token too long"),
    ],
)
def test_an_invalid_prediction_query_is_reported(client, query, name, message):
    (problem,) = problems(predict(client, **query))
    assert problem["name"] == name
    assert message in problem["message"]

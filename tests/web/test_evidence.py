import re
from html import unescape

import pytest

from app.lesson.family import members
from app.models.evidence import NO_ROLE, PLACES
from app.models.two_neighbours import two_neighbours
from app.picture import plain
from app.web.evidence import Records, exact_rows, head_rows, widest_half

TRAINED = [f"headwise-h{h}" for h in (1, 2, 4, 8)]


@pytest.fixture(scope="module")
def records(models):
    return Records(models, two_neighbours())


def text_of(html):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)))


def test_the_four_are_compared_by_what_their_cards_and_records_say(client, records):
    html = client.get("/models").text
    rows = members(records.models)
    assert [row.card.id for row in rows] == TRAINED
    for row in rows:
        line = re.search(rf'<a href="/models/{row.card.id}">.*?</tr>', html, re.S).group(0)
        assert f"{row.training.validation_loss:.3f} nats" in line
        assert f"{100 * row.training.validation_accuracy:.1f} %" in line
        found = row.found
        assert (", ".join(found) or "none") in line
        assert records.models[row.card.id].megabytes < 4


def test_if_eight_heads_do_not_beat_four_the_page_says_so(client, models):
    said = text_of(client.get("/models").text)
    loss = {m.card.n_heads: m.card.training.validation_loss for m in models.of_source("trained")}
    assert ("Eight heads do not beat four" in said) == (loss[8] >= loss[4])
    assert ("Eight heads beat four" in said) == (loss[8] < loss[4])
    assert ("One head is worst" in said) == (loss[1] == max(loss.values()))


def test_the_plots_are_drawn_and_their_figures_stand_beside_them(client, records):
    html = client.get("/models").text
    assert html.count('<svg class="plot"') == 4
    said = text_of(html)
    for run in records.models.seeds.runs:
        assert f"{run.validation_loss:.4f}" in said
    assert f"at most {records.models.seeds.widest_spread:.4f} nats apart" in said


def test_data_licence_and_commands_are_told(client, models):
    said = text_of(client.get("/models").text)
    assert "Universal Dependencies English EWT, licence CC BY-SA 4.0" in said
    assert "public-domain books" in said
    for model in models.of_source("trained"):
        assert model.card.training.command in said
        assert model.evidence.command in said


def test_the_exact_experiment_is_told_as_its_record_has_it(client, records):
    rows = exact_rows(records.exact)
    assert [(h, read_out) for h, read_out, _ in rows] == [
        (h, read_out) for read_out in ("linear", "mlp") for h in (1, 2, 4)
    ]
    said = text_of(client.get("/models").text)
    assert ", ".join(plain(share) for share in rows[0][2]) in said


@pytest.mark.parametrize("name", TRAINED)
def test_a_models_page_has_every_head_with_its_labels_and_figures(client, models, name):
    html = client.get(f"/models/{name}").text
    evidence = models[name].evidence
    for row in head_rows(evidence):
        line = text_of(re.search(rf'<th scope="row">{row.name}</th>.*?</tr>', html, re.S).group(0))
        assert ", ".join(evidence.labels(row.record)) in line
        for place in PLACES:
            assert plain(row.record.tops[place]) in line
    for case in evidence.best:
        line = re.search(rf'<th scope="row">{case.finding.label}</th>.*?</tr>', html, re.S).group(0)
        low, high = case.finding.test.interval
        assert f"{plain(low)} to {plain(high)}" in text_of(line)
        assert ("<td>yes</td>" in line) == case.found
    assert html.count('<svg class="plot"') == 2
    assert evidence.licence in html


def test_no_head_is_named_without_figures_that_carry_it(models):
    for model in models.of_source("trained"):
        for head in model.evidence.heads:
            named = model.evidence.labels(head) != [NO_ROLE]
            carried = bool(model.evidence.found_by(head)) or any(
                head.tops[place] >= 0.5 for place in PLACES
            )
            assert named == carried


def test_shares_are_known_as_closely_as_the_page_says(models):
    evidence = models["headwise-h4"].evidence
    widest = widest_half(evidence)
    for head in evidence.heads:
        for place in PLACES:
            low, high = evidence.share_of_tops(head, place).interval
            assert (high - low) / 2 <= widest + 1e-9
    assert 0 < widest < 0.01


def test_a_twin_says_that_it_was_never_trained(client):
    said = text_of(client.get("/models/headwise-h2-random").text)
    assert "never trained" in said
    assert "with seed 0" in said
    assert "Its heads" not in said


def test_a_model_that_is_not_there_is_named_with_those_there_are(client):
    response = client.get("/models/h3")
    assert response.status_code == 404
    assert "There is no model “h3”. There are headwise-h1" in response.text


@pytest.mark.parametrize("path", ["/models", "/models/headwise-h4"])
def test_a_record_can_be_asked_for_by_its_head_alone(client, path):
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""


def test_every_page_leads_to_the_evidence(client, step_1):
    for path in ("/", step_1, "/docs"):
        assert 'href="/models"' in client.get(path).text

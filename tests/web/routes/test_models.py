import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from app.application import create_app
from app.evaluation.checkpoint import Plan, measure_checkpoint
from app.evaluation.report import NO_LABEL, POSITIONS, read_evidence
from app.evaluation.two_neighbour_task import read_two_neighbours
from app.lesson.model_comparison import trained_models
from app.models.checkpoints import read_checkpoint
from app.picture import format_weight
from app.settings import Settings
from app.web.routes.models import (
    MAX_BARS,
    head_rows,
    largest_ablation_effects,
    max_interval_half_width,
    two_neighbour_rows,
)
from tests.evaluation.trees import SAMPLE_CONLLU
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint

TRAINED = [f"headwise-h{h}" for h in (1, 2, 4, 8)]


def text_of(html):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)))


def test_the_four_are_compared_by_their_cards_and_records(client, models):
    html = client.get("/models").text
    rows = trained_models(models)
    assert [row.card.id for row in rows] == TRAINED
    for row in rows:
        line = re.search(rf'<a href="/models/{row.card.id}">.*?</tr>', html, re.S).group(0)
        assert f"{row.training.validation_loss:.3f} nats" in line
        assert f"{100 * row.training.validation_accuracy:.1f} %" in line
        found = row.relations_found
        assert (", ".join(found) or "none") in line
        assert models[row.card.id].megabytes < 4


def test_if_eight_heads_do_not_beat_four_the_page_says_so(client, models):
    text = text_of(client.get("/models").text)
    loss = {m.card.n_heads: m.card.training.validation_loss for m in models.of_kind("trained")}
    assert ("Eight heads do not beat four" in text) == (loss[8] >= loss[4])
    assert ("Eight heads beat four" in text) == (loss[8] < loss[4])
    assert ("One head is worst" in text) == (loss[1] == max(loss.values()))


def test_the_plots_are_drawn_with_their_figures(client, models):
    html = client.get("/models").text
    assert html.count('<svg class="plot"') == 4
    text = text_of(html)
    for run in models.seed_runs.runs:
        assert f"{run.validation_loss:.4f}" in text
    assert f"at most {models.seed_runs.widest_spread:.4f} nats apart" in text


def test_data_licence_and_commands_are_listed(client, models):
    text = text_of(client.get("/models").text)
    assert "Universal Dependencies English EWT, licence CC BY-SA 4.0" in text
    assert "public-domain books" in text
    for model in models.of_kind("trained"):
        assert model.card.training.command in text
        assert models.evidence_of(model).command in text


def test_the_exact_experiment_agrees_with_its_record(client):
    rows = two_neighbour_rows(read_two_neighbours())
    assert [(h, read_out) for h, read_out, _ in rows] == [
        (h, read_out) for read_out in ("linear", "mlp") for h in (1, 2, 4)
    ]
    text = text_of(client.get("/models").text)
    assert ", ".join(format_weight(share) for share in rows[0][2]) in text


@pytest.mark.parametrize("name", TRAINED)
def test_a_models_page_has_every_head_with_its_labels_and_figures(client, models, name):
    html = client.get(f"/models/{name}").text
    evidence = models.evidence_of(models[name])
    for row in head_rows(evidence):
        line = text_of(re.search(rf'<th scope="row">{row.name}</th>.*?</tr>', html, re.S).group(0))
        assert ", ".join(evidence.labels(row.record)) in line
        for place in POSITIONS:
            assert format_weight(row.record.top_word_shares[place]) in line
    for case in evidence.best_heads:
        line = re.search(rf'<th scope="row">{case.finding.label}</th>.*?</tr>', html, re.S).group(0)
        low, high = case.finding.test.interval
        assert f"{format_weight(low)} to {format_weight(high)}" in text_of(line)
        assert ("<td>yes</td>" in line) == case.is_found
    assert html.count('<svg class="plot"') == 2
    assert evidence.licence in html


def test_no_head_is_named_without_figures_that_carry_it(models):
    any_named = []
    for model in models.of_kind("trained"):
        evidence = models.evidence_of(model)
        for head in evidence.heads:
            named = evidence.labels(head) != [NO_LABEL]
            any_named.append(named)
            carried = bool(evidence.found_relations(head)) or any(
                head.top_word_shares[place] >= 0.5 for place in POSITIONS
            )
            assert named == carried
    assert set(any_named) == {True, False}


def test_shares_are_as_precise_as_the_page_says(models):
    evidence = models.evidence_of(models["headwise-h4"])
    widest = max_interval_half_width(evidence)
    for head in evidence.heads:
        for place in POSITIONS:
            low, high = evidence.top_word_share(head, place).interval
            assert (high - low) / 2 <= widest + 1e-9
    assert 0 < widest < 0.01


def test_an_untrained_model_says_that_it_was_never_trained(client):
    text = text_of(client.get("/models/headwise-h2-random").text)
    assert "never trained" in text
    assert "seed 0" in text
    assert "Its heads" not in text


def test_an_unknown_model_is_reported_with_the_known_ones(client):
    response = client.get("/models/h3")
    assert response.status_code == 404
    assert "There is no model “h3”. There are headwise-h1" in response.text


@pytest.mark.parametrize("path", ["/models", "/models/headwise-h4"])
def test_models_answer_head_requests(client, path):
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""


def test_every_page_links_to_the_models(client, step_1):
    for path in ("/", step_1, "/docs"):
        assert 'href="/models"' in client.get(path).text


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A measured encoder, a measured decoder, and one that was not measured."""
    folder = tmp_path_factory.mktemp("checkpoints")
    treebank = tmp_path_factory.mktemp("treebank") / "our-own.conllu"
    treebank.write_text(4 * f"{SAMPLE_CONLLU}\n", encoding="utf-8")
    plan = Plan(
        (treebank,),
        n_untrained=2,
        n_ablation_sentences=3,
        treebank_name="Our Own Trees",
        licence="CC0",
    )
    measure_checkpoint(save_checkpoint("bert", folder / "encoder"), plan)
    measure_checkpoint(save_checkpoint("gpt2", folder / "decoder"), plan)
    save_checkpoint("bert", folder / "unmeasured")
    return folder


@pytest.fixture(scope="module")
def checkpoint_client(folder):
    return TestClient(create_app(Settings(checkpoints=(folder,))), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def encoder(folder):
    return read_checkpoint(folder / "encoder")


@pytest.fixture(scope="module")
def encoder_evidence(encoder):
    return read_evidence(encoder)


def row_of(html, name):
    return text_of(re.search(rf'<a href="/models/{name}">{name}</a></th>.*?</tr>', html, re.S)[0])


def test_checkpoints_are_listed_separately_with_their_facts(checkpoint_client, encoder):
    html = checkpoint_client.get("/models").text
    listed = html[html.index('id="checkpoints"') :]
    for name, expected in {
        "encoder": ["BERT", "3 × 4", "hidden words", "on Our Own Trees"],
        "decoder": ["GPT-2", "3 × 2", "the next word", "on Our Own Trees"],
        "unmeasured": ["not yet: python -m app checkpoint measure FOLDER --treebank FILE"],
    }.items():
        line = row_of(listed, name)
        assert all(each in line for each in expected), line
    assert f"{encoder.card.parameters:,}" in row_of(listed, "encoder")


def test_the_four_are_described_the_same_with_checkpoints(client, checkpoint_client):
    alone, with_others = (each.get("/models").text for each in (client, checkpoint_client))
    assert "Checkpoints" not in alone
    before_checkpoints = with_others[: with_others.index('<h2 id="checkpoints"')]
    assert alone.startswith(before_checkpoints[: before_checkpoints.rindex("</p>")])


def test_a_checkpoints_card_claims_nothing_of_its_training(checkpoint_client):
    for name in ("encoder", "decoder", "unmeasured"):
        response = checkpoint_client.get(f"/models/{name}")
        assert response.status_code == 200
        text = text_of(response.text)
        assert "that others trained" in text
        card = text.partition("Its heads")[0].partition("Card")[2]
        assert "Parameters" in card
        for claim in ("books", "never trained", "validation", "seed", "of Headwise", "None"):
            assert claim not in card, claim


def test_a_measured_checkpoint_has_every_head_with_its_figures(checkpoint_client, encoder_evidence):
    html = checkpoint_client.get("/models/encoder").text
    for row in head_rows(encoder_evidence):
        line = text_of(re.search(rf'<th scope="row">{row.name}</th>.*?</tr>', html, re.S)[0])
        assert format_weight(row.record.special) in line
        assert all(format_weight(row.record.top_word_shares[place]) in line for place in POSITIONS)
    text = text_of(html)
    assert "Our Own Trees, licence CC0" in text
    assert "the loss on 3 of the reported sentences, 15 % of their tokens hidden by [MASK]" in text
    assert "the best head of 2 untrained twins" in text
    assert encoder_evidence.command in text
    assert not {"validation", "books", "dev part"} & {
        *re.findall("validation|books|dev part", text)
    }


def test_a_causal_model_says_what_its_heads_cannot_find(checkpoint_client):
    text = text_of(checkpoint_client.get("/models/decoder").text)
    assert "reads only earlier tokens" in text
    assert "Weight to special tokens" not in text
    assert "every token guessed from those before it" in text


def test_a_checkpoint_that_was_not_measured_names_the_command(checkpoint_client):
    text = text_of(checkpoint_client.get("/models/unmeasured").text)
    assert "have not been measured. python -m app checkpoint measure FOLDER" in text


def test_the_lab_of_measures_names_the_record_of_a_checkpoint(checkpoint_client, step_1):
    path = step_1.rpartition("/")[0] + "/measure-before-you-name?model=encoder&layer=1"
    assert "Our Own Trees" not in text_of(checkpoint_client.get(path).text)
    assert "Our Own Trees (CC0)" in text_of(checkpoint_client.get(f"{path}&reveal=1").text)


def test_the_api_lists_checkpoints_too(checkpoint_client, encoder_evidence):
    listed = {each["id"]: each for each in checkpoint_client.get("/api/v1/models").json()}
    assert [*listed][-3:] == ["decoder", "encoder", "unmeasured"]
    assert listed["encoder"]["source"] == "checkpoint"
    assert listed["encoder"]["card"]["training"] is None
    record = checkpoint_client.get("/api/v1/models/encoder/heads").json()
    assert record["record"] == encoder_evidence.model_dump(mode="json")
    assert len(record["labels"]) == 12
    response = checkpoint_client.get("/api/v1/models/unmeasured/heads")
    assert response.status_code == 404
    assert "The heads of unmeasured have not been measured" in response.text


def test_untrained_models_link_to_their_trained_model(checkpoint_client):
    text = checkpoint_client.get("/models/headwise-h2-random").text
    assert 'the shape of <a href="/models/headwise-h2">headwise-h2</a>, but random numbers' in text


def test_of_many_heads_those_with_the_largest_loss_change_are_plotted(encoder_evidence):
    head = encoder_evidence.heads[0]
    heads = [head.model_copy(update={"head": i, "ablation": (-1) ** i * i / 10}) for i in range(40)]
    selected = largest_ablation_effects(heads)
    assert [each.head for each in selected] == list(range(40 - MAX_BARS, 40))
    assert largest_ablation_effects(heads[:5]) == heads[:5]


def test_the_table_of_many_heads_scrolls_in_its_region(tmp_path):
    treebank = tmp_path / "our-own.conllu"
    treebank.write_text(f"{SAMPLE_CONLLU}\n", encoding="utf-8")
    measure_checkpoint(
        save_checkpoint("bert", tmp_path / "deep", num_hidden_layers=9),
        Plan((treebank,), n_untrained=1, n_ablation_sentences=1),
    )
    client = TestClient(create_app(Settings(checkpoints=(tmp_path / "deep",))))
    html = client.get("/models/deep").text
    assert (
        '<section class="table-wrapper many-heads" aria-label="Heads of deep" tabindex="0">' in html
    )
    assert "These are the 32 heads that change it most." in html
    assert client.get("/models/headwise-h8").text.count('class="table-wrapper many-heads"') == 0

import numpy as np
import pytest

from app.lesson import LABS
from tests.lesson.labs.states import TEXT, make_state

head_metrics = LABS["measures"].run


def expected_scores(weights, texts):
    """Mean weight on the previous token, the next, itself and others spelled the same."""
    n = len(texts)
    same = [
        sum(weights[i, j] for j in range(n) if j != i and texts[i] == texts[j]) for i in range(n)
    ]
    return {
        "previous": np.mean([weights[i, i - 1] for i in range(1, n)]),
        "next": np.mean([weights[i, i + 1] for i in range(n - 1)]),
        "itself": np.mean([weights[i, i] for i in range(n)]),
        "same word": np.mean(same),
    }


def test_scores_are_means_of_cells_here_and_shuffled(models):
    model, text = models["headwise-h8"], "the cat saw the other cat"
    state = make_state(models, "headwise-h8", text=text)
    shuffled = state.shuffled.sentence
    assert shuffled.text != text
    maps, shuffled_maps = (model.run(each).weights[0] for each in (state.sentence, shuffled))
    for row in head_metrics(state).metrics:
        here = expected_scores(maps[row.head], text.split())
        after = expected_scores(shuffled_maps[row.head], shuffled.text.split())
        assert {score.name: score.here for score in row.position_weights} == pytest.approx(
            here, abs=1e-5
        )
        assert {score.name: score.shuffled for score in row.position_weights} == pytest.approx(
            after, abs=1e-5
        )


def test_distance_and_entropy_are_means_over_rows(models):
    state = make_state(models, "headwise-h8")
    maps = models["headwise-h8"].run(state.sentence).weights[0].astype(float)
    n = len(maps[0])
    for row in head_metrics(state).metrics:
        weights = maps[row.head]
        distances = [sum(weights[i, j] * abs(i - j) for j in range(n)) for i in range(n)]
        assert row.distance == pytest.approx(np.mean(distances), abs=1e-4)
        entropies = [-sum(weight * np.log2(weight) for weight in each) for each in weights]
        assert row.entropy == pytest.approx(np.mean(entropies), abs=1e-4)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_head_has_the_labels_and_the_record_of_its_own_evidence(models, layer):
    evidence = models.evidence_of(models["headwise-h8"])
    lab = head_metrics(make_state(models, "headwise-h8", layer=layer))
    assert (lab.treebank, lab.licence) == (evidence.treebank, evidence.licence)
    for row in lab.metrics:
        head = evidence.heads[layer * 8 + row.head]
        assert (head.layer, head.head) == (layer, row.head)
        assert list(row.labels) == evidence.labels(head)
        assert evidence.margin(row.record.finding) == max(map(evidence.margin, head.findings))


def test_an_untrained_model_has_no_record(models):
    lab = head_metrics(make_state(models, "headwise-h8-random"))
    assert not lab.treebank
    assert all(row.record is None and not row.labels for row in lab.metrics)


def test_shuffled_maps_are_those_of_the_shuffled_sentence(models):
    state = make_state(models, controls={"shuffled": True})
    lab = head_metrics(state)
    assert lab.sentence != TEXT
    assert sorted(lab.sentence.split()) == sorted(TEXT.split())
    word = lab.sentence.split().index("opened")
    expected_state = make_state(models, text=lab.sentence, word=word)
    assert expected_state.query_word == state.displayed.query_word == "opened"
    expected = head_metrics(expected_state)
    assert [figure.map for figure in lab.heads] == [figure.map for figure in expected.heads]


def test_scores_do_not_depend_on_which_order_is_displayed(models):
    plain, shuffled = (
        head_metrics(make_state(models, controls={"shuffled": is_shuffled}))
        for is_shuffled in (False, True)
    )
    assert plain.metrics == shuffled.metrics
    assert plain.sentence == TEXT


def test_special_tokens_have_a_score_unless_they_are_hidden(checkpoint_models):
    shown, hidden = (
        make_state(
            checkpoint_models, "bert", "The cat sat", controls={"hide_special_tokens": is_hidden}
        )
        for is_hidden in (False, True)
    )
    weights = checkpoint_models["bert"].run(shown.sentence).weights[0]
    names = [score.name for score in head_metrics(hidden).metrics[0].position_weights]
    assert "special tokens" not in names
    for row in head_metrics(shown).metrics:
        score = row.position_weights[-1]
        assert score.name == "special tokens"
        expected = weights[row.head][:, [0, -1]].sum(axis=-1).mean()
        assert score.here == pytest.approx(float(expected), abs=1e-5)

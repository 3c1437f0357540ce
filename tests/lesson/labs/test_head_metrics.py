from dataclasses import replace

import numpy as np
import pytest

from app.evaluation.registry import EvaluatedRegistry
from app.lesson import LABS, PREDICTIONS, PredictionInput
from tests.lesson.labs.states import TEXT, make_state
from tests.lesson.naive_records import (
    head_of,
    naive_places,
    naive_relations,
    read_record,
    wilson,
)

TROPHY = "The trophy does not fit in the suitcase because it is too big"
PAIR = {"pair": [TROPHY, TROPHY.replace("big", "small")]}

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


class TestBeforeTheAnswer:
    """What the question asks for is left out, and computed only afterwards."""

    def test_there_are_no_records_and_no_second_sentence(self, models):
        state = make_state(models, "headwise-h8", TROPHY, word=9)
        lab = head_metrics(replace(state, is_revealed=False))
        assert (lab.records, lab.pair) == ((), None)
        assert all(row.record is None and not row.labels for row in lab.metrics)
        shown = head_metrics(state)
        assert len(shown.records) == 8
        assert shown.pair
        assert [row.position_weights for row in lab.metrics] == [
            row.position_weights for row in shown.metrics
        ]

    def test_the_head_in_question_is_that_of_the_prediction(self, models):
        state = make_state(models, "headwise-h8", TROPHY, word=9)
        asked = head_metrics(replace(state, is_revealed=False)).asked
        question = PREDICTIONS["head_record"].ask(PredictionInput(state.selection, models))
        assert str(asked.head) == question.values["asked_head"]
        assert asked.word == question.values["read_word"]

    def test_no_head_is_in_question_if_the_model_was_not_measured(self, models):
        lab = head_metrics(make_state(models, "headwise-h8-random", TROPHY, word=9))
        assert (lab.asked, lab.records, lab.pair) == (None, (), None)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("name", ["headwise-h1", "headwise-h4", "headwise-h8"])
def test_a_record_is_the_share_of_the_first_label_against_the_best_without_training(
    models, name, layer
):
    record = read_record(name)
    records = head_metrics(make_state(models, name, layer=layer)).records
    for head, summary in enumerate(records):
        measured = head_of(record, layer, head)
        places = naive_places(record, measured)
        relations = naive_relations(record, measured)
        found = [each for each in relations if each[4]]
        n_labels = len(places) + len(found)
        assert summary.head == head
        assert (summary.label == "no clear role") == (n_labels == 0)
        assert len(summary.others) == max(n_labels - 1, 0)
        if places:
            rate, cases = measured["tops"][places[0]], record["words"]
            baseline = record["twin_tops"][places[0]]
            assert summary.label == summary.relation
            assert summary.label.split()[0] == places[0].split()[0]
        else:
            margin, label, finding, _, _ = (found or relations)[0]
            rate, cases = finding["test"]["hits"] / finding["test"]["n"], finding["test"]["n"]
            baseline = rate - margin
            assert summary.relation == label
        assert summary.rate == pytest.approx(rate, abs=1e-4)
        assert summary.baseline == pytest.approx(baseline)
        assert summary.cases == cases
        low, high = wilson(round(rate * cases), cases)
        assert (summary.low, summary.high) == pytest.approx((low, high))


class TestSentencePair:
    """The same weight in two sentences that differ in one word."""

    def pair(self, models, text, word, *, model="headwise-h8", options=None, **chosen):
        state = make_state(models, model, text, word=word, **chosen)
        return head_metrics(replace(state, options=options or {})).pair

    @pytest.mark.parametrize("is_second", [False, True])
    def test_a_sentence_of_the_pair_is_compared_with_the_other(self, models, is_second):
        text, other = PAIR["pair"][:: -1 if is_second else 1]
        pair = self.pair(models, text, 9, options=PAIR)
        assert pair.words == (("small", "big") if is_second else ("big", "small"))
        assert pair.key == "suitcase"
        model = models["headwise-h8"]
        for layer in pair.layers:
            for index, each in enumerate((text, other)):
                sentence = model.tokenizer.sentence(each)
                weights = model.run(sentence).weights[layer.layer]
                keys = [i for i, token in enumerate(sentence.tokens) if token.word == 7]
                (query,) = [i for i, token in enumerate(sentence.tokens) if token.word == 9]
                expected = weights[:, query, keys].sum(axis=-1)
                assert layer.weights[index] == pytest.approx(expected, abs=1e-6)
            moves = np.abs(layer.weights[0] - layer.weights[1])
            assert layer.largest_move == pytest.approx(moves.max())
            assert [[weight for weight, _ in row] for row in layer.cells] == [
                pytest.approx(row.tolist()) for row in layer.weights
            ]

    def test_layer_0_cannot_tell_big_from_small_and_layer_1_can(self, models):
        first, second = self.pair(models, TROPHY, 9, options=PAIR).layers
        assert first.largest_move <= 0.002
        assert first.changes == 0
        assert second.largest_move > 0.01
        assert second.changes > 0

    def test_the_last_other_word_of_any_other_sentence_is_masked(self, models):
        pair = self.pair(models, "The cat sat down", 1)
        question = PREDICTIONS["head_record"].ask(
            PredictionInput(make_state(models, "headwise-h8", "The cat sat down").selection, models)
        )
        read = question.values["read_word"]
        last = next(word for word in ("down", "sat", "The") if word != read)
        assert (pair.key, pair.words) == (read, (last, "[MASK]"))

    def test_there_is_none_without_a_third_word(self, models):
        assert self.pair(models, "cat sat", 0) is None

    def test_of_many_layers_the_first_the_chosen_and_the_last_are_compared(self, checkpoint_models):
        measured = EvaluatedRegistry(
            checkpoint_models,
            {"bert": checkpoint_models.evidence_of(checkpoint_models["headwise-h4"])},
        )
        n_layers = measured["bert"].card.n_layers
        pair = self.pair(measured, "The cat sat down", 1, model="bert", layer=0)
        assert [layer.layer for layer in pair.layers] == [0, n_layers - 1]
        assert pair.words[1] == "[MASK]"

    def test_a_model_without_a_mask_token_has_none(self, checkpoint_models):
        record = checkpoint_models.evidence_of(checkpoint_models["headwise-h8"])
        heads = tuple(head for head in record.heads if head.head < 2)
        evidence = {"gpt2": record.model_copy(update={"heads": heads})}
        measured = EvaluatedRegistry(checkpoint_models, evidence)
        assert self.pair(measured, "The cat sat down", 2, model="gpt2") is None

from dataclasses import replace

import numpy as np
import pytest

from app.attention import Intervention
from app.lesson import LABS, PREDICTIONS, PredictionInput
from tests.lesson.labs.states import make_state

LONG = "The trophy does not fit in the suitcase because it is too big"

grouped_query = LABS["sharing"].run


def run_lab(models, model="headwise-h8", **controls):
    return grouped_query(make_state(models, model, lab="sharing", controls=controls))


def test_groups_are_the_divisors_of_the_number_of_key_heads(models):
    assert run_lab(models).groupings == (1, 2, 4, 8)
    assert run_lab(models, "headwise-h1").groupings == (1,)


def test_as_trained_nothing_changes(models):
    assert max(run_lab(models).max_change) < 1e-6


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_pooling_changes_maps_and_keeps_their_number(models, groups):
    state = make_state(models, "headwise-h8", lab="sharing", controls={"groups": groups})
    lab = grouped_query(state)
    model = models["headwise-h8"]
    pooled = model.run(state.sentence, intervention=Intervention(groups=groups)).weights[0]
    change = np.abs(pooled - model.run(state.sentence).weights[0]).max(axis=(1, 2))
    assert list(lab.max_change) == pytest.approx(change.tolist())
    assert min(lab.max_change) > 0.01
    assert len({figure.map for figure in lab.heads}) == 8
    assert [len(figure.kv_group) for figure in lab.heads] == [8 // groups] * 8
    assert all(figure.head in figure.kv_group for figure in lab.heads)


def test_the_change_is_that_of_pooling_alone(models):
    as_trained = run_lab(models, causal=True, unscaled=True)
    assert max(as_trained.max_change) < 1e-6


def test_the_cache_holds_a_key_and_a_value_for_each_set(models):
    small, large = run_lab(models).cache
    assert (small.numbers, small.without_sharing) == (2 * 2 * 4 * 8 * 6,) * 2
    assert (large.numbers, large.without_sharing) == (163_840 * 6, 1_310_720 * 6)
    assert large.megabytes == pytest.approx(163_840 * 1_000 * 2 / 1e6)


def test_losses_are_those_of_the_evidence(models):
    evidence = models.evidence_of(models["headwise-h8"])
    assert run_lab(models).losses == evidence.pooled
    assert evidence.pooled
    assert run_lab(models, "headwise-h8-random").losses == ()


class TestPairs:
    """Each head as trained beside its map with shared keys."""

    def test_a_head_keeps_its_word_if_both_maps_read_the_same_one(self, models):
        state = make_state(models, "headwise-h8", lab="sharing", word=2)
        rows = [
            models["headwise-h8"]
            .run(state.sentence, intervention=Intervention(groups=groups))
            .weights[0][:, 2]
            for groups in (0, 1)
        ]
        pairs = grouped_query(state).pairs
        assert [pair.own.head for pair in pairs] == list(range(8))
        tops = [[int(row[head].argmax()) for row in rows] for head in range(8)]
        assert [pair.keeps for pair in pairs] == [own == shared for own, shared in tops]
        assert {pair.keeps for pair in pairs} == {True, False}
        for pair, (own, shared) in zip(pairs, tops, strict=True):
            assert pair.own.top_word.word == state.sentence.words[own].text
            assert pair.shared.top_word.word == state.sentence.words[shared].text

    def test_heads_that_keep_their_word_are_those_of_the_answer(self, models):
        state = make_state(models, "headwise-h8", lab="sharing", text=LONG, word=9)
        inputs = PredictionInput(state.selection, models)
        marks = PREDICTIONS["shared_keys"].answer(inputs).marks
        assert [pair.own.head for pair in grouped_query(state).keeping] == [m.head for m in marks]

    @pytest.mark.parametrize(("groups", "compared"), [(0, 1), (1, 1), (2, 2), (4, 4)])
    def test_the_chosen_number_of_sets_is_compared_with_the_trained_one(
        self, models, groups, compared
    ):
        lab = run_lab(models, groups=groups)
        assert lab.compared_groups == compared
        own, shared = run_lab(models), run_lab(models, groups=compared)
        assert [pair.own.map for pair in lab.pairs] == [figure.map for figure in own.heads]
        assert [pair.shared.map for pair in lab.pairs] == [figure.map for figure in shared.heads]
        assert lab.loss.groups == compared

    @pytest.mark.parametrize("groups", [0, 1])
    def test_one_set_is_left_out_before_the_answer(self, models, groups):
        state = make_state(models, "headwise-h8", lab="sharing", controls={"groups": groups})
        lab = grouped_query(replace(state, is_revealed=False))
        assert all(pair.shared is None and pair.keeps is None for pair in lab.pairs)
        assert lab.keeping == ()
        as_trained = run_lab(models)
        assert [figure.map for figure in lab.heads] == [figure.map for figure in as_trained.heads]
        assert max(lab.max_change) < 1e-6
        assert lab.row.html == as_trained.row.html

    def test_several_sets_are_shown_before_the_answer(self, models):
        state = make_state(models, "headwise-h8", lab="sharing", controls={"groups": 2})
        lab = grouped_query(replace(state, is_revealed=False))
        assert all(pair.shared for pair in lab.pairs)

    def test_there_are_none_if_there_is_one_set_anyway(self, models):
        assert run_lab(models, "headwise-h1").pairs == ()

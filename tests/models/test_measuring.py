import numpy as np
import pytest

from app.attention import forward
from app.models.evidence import DIRECTIONS, PLACES, RELATIONS
from app.models.measuring import baselines, counted, head_records, offset_hits, reading
from app.models.treebank import read_trees
from tests.models.trees import SAMPLE


@pytest.fixture(scope="module")
def readings(models, tmp_path_factory):
    file = tmp_path_factory.mktemp("trees") / "sample.conllu"
    file.write_text(SAMPLE, encoding="utf-8")
    tokenizer = models["headwise-h4"].tokenizer
    return [reading(tree, tokenizer, 48) for tree in read_trees(file)]


def naive(model, readings, layer, head):
    """The same figures by loops, for one head."""
    weights_at, tops_at = dict.fromkeys(PLACES, 0.0), dict.fromkeys(PLACES, 0)
    hits, n_words, distance = {}, 0, 0.0
    for each in readings:
        tree, n = each.tree, len(each.tree.words)
        tokens = forward(model.transformer, each.ids).weights[layer][head]
        pieces = [[t for t, w in enumerate(each.word_of) if w == word] for word in range(n)]
        row = [
            [
                sum(float(tokens[q, k]) for q in pieces[i] for k in pieces[j]) / len(pieces[i])
                for j in range(n)
            ]
            for i in range(n)
        ]
        n_words += n
        for i in range(n):
            top = max(range(n), key=lambda j, i=i: row[i][j])
            for j in range(n):
                at = {
                    "previous": j == i - 1,
                    "next": j == i + 1,
                    "itself": j == i,
                    "same word": j != i and tree.words[i].lower() == tree.words[j].lower(),
                    "first": j == 0,
                    "punctuation": tree.punctuation[j],
                }
                for place, there in at.items():
                    weights_at[place] += row[i][j] * there
                    tops_at[place] += there and j == top
                distance += row[i][j] * abs(i - j)
            others = [j for j in range(n) if j != i and not tree.punctuation[j]]
            partner = max(others, key=lambda j, i=i: row[i][j])
            for dependent, (gold, name) in enumerate(zip(tree.heads, tree.relations, strict=True)):
                if gold is None or name not in RELATIONS:
                    continue
                if dependent == i:
                    key = (name, DIRECTIONS[0])
                    hits[key] = hits.get(key, 0) + (partner == gold)
                if gold == i:
                    key = (name, DIRECTIONS[1])
                    hits[key] = hits.get(key, 0) + (partner == dependent)
    return weights_at, tops_at, hits, distance, n_words


@pytest.mark.parametrize(("layer", "head"), [(0, 2), (1, 1)])
def test_a_heads_record_agrees_with_loops(models, readings, layer, head):
    model = models["headwise-h4"]
    counts = counted(model.transformer, readings)
    record = head_records(model.transformer, counts, counts)[layer * 4 + head]
    weights_at, tops_at, hits, distance, n_words = naive(model, readings, layer, head)
    assert (record.layer, record.head) == (layer, head)
    for place in PLACES:
        assert record.weights[place] == pytest.approx(weights_at[place] / n_words, abs=1e-4)
        assert record.tops[place] == pytest.approx(tops_at[place] / n_words, abs=1e-4)
    assert record.distance == pytest.approx(distance / n_words, abs=1e-4)
    found = {(f.relation, f.direction): f.test.hits for f in record.findings if f.test.n}
    assert found == hits


def test_every_token_belongs_to_a_word_of_the_tree(readings):
    for each in readings:
        assert set(each.word_of) == set(range(len(each.tree.words)))
    second = readings[1]
    assert second.word_of.count(4) > 1, "zyzzyvas is split"


def test_a_sentence_that_is_too_long_is_left_out(models, readings):
    tokenizer = models["headwise-h4"].tokenizer
    assert reading(readings[0].tree, tokenizer, 7) is None
    assert reading(readings[0].tree, tokenizer, 8) is not None


def test_fixed_offsets_are_counted(readings):
    det = list(RELATIONS).index("det")
    hits = offset_hits(readings)
    assert hits[10 + 2, det, 0] == 1  # The → cat
    assert hits[10 + 1, det, 0] == 1  # a → mat
    assert hits[:, det].sum() == 4


def test_the_best_offset_is_chosen_on_dev_and_told_on_test(readings):
    (aux,) = [
        each
        for each in baselines(readings, readings, [])
        if (each.relation, each.direction) == ("aux", DIRECTIONS[0])
    ]
    assert aux.offset == 2
    assert (aux.offset_share.hits, aux.offset_share.n) == (1, 1)


def test_twins_are_judged_by_the_head_they_would_choose_on_dev(models, readings):
    counts = counted(models["headwise-h4"].transformer, readings)
    for each in baselines(readings, readings, [(counts, counts)]):
        r, d = list(RELATIONS).index(each.relation), DIRECTIONS.index(each.direction)
        n = max(each.offset_share.n, 1)
        assert each.twins == (round(int(counts.hits[:, r, d].max()) / n, 4),)
        assert np.all(counts.cases[r, d] == each.offset_share.n)

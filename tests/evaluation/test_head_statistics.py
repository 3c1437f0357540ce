import numpy as np
import pytest

from app.attention import forward
from app.evaluation.head_statistics import (
    HeadCounts,
    TokenisedTree,
    accumulate_counts,
    baselines,
    head_records,
    offset_hits,
    tokenise_tree,
    top_partners,
    update_counts,
)
from app.evaluation.report import DIRECTIONS, POSITIONS, RELATIONS
from app.evaluation.treebank import Tree, read_trees
from app.models.checkpoints import read_checkpoint
from tests.evaluation.trees import SAMPLE_CONLLU
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    file = tmp_path_factory.mktemp("trees") / "sample.conllu"
    file.write_text(SAMPLE_CONLLU, encoding="utf-8")
    return list(read_trees(file))


@pytest.fixture(scope="module")
def tokenised_trees(models, trees):
    return tokenise_with(models["headwise-h4"], trees)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A model with [CLS] and [SEP]."""
    return read_checkpoint(save_checkpoint("bert", tmp_path_factory.mktemp("encoder")))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    """A causal model whose tokens begin with a space."""
    return read_checkpoint(save_checkpoint("gpt2", tmp_path_factory.mktemp("decoder")))


def tokenise_with(model, trees):
    return [tokenise_tree(tree, model.tokenizer, 48) for tree in trees]


def record_by_loops(model, tokenised_trees, layer, head):
    """Compute the record of one head with loops."""
    weights_at, tops_at = dict.fromkeys(POSITIONS, 0.0), dict.fromkeys(POSITIONS, 0)
    hits, n_words, distance, special = {}, 0, 0.0, 0.0
    for each in tokenised_trees:
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
        totals = [sum(each) for each in row]
        special += sum(1 - total for total in totals)
        row = [[weight / totals[i] for weight in row[i]] for i in range(n)]
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
                for position, holds in at.items():
                    weights_at[position] += row[i][j] * holds
                    tops_at[position] += holds and j == top
                distance += row[i][j] * abs(i - j)
            others = [j for j in range(n) if j != i and not tree.punctuation[j]]
            partner = max(others, key=lambda j, i=i: row[i][j])
            partner = partner if row[i][partner] else None
            for dependent, (gold, name) in enumerate(zip(tree.heads, tree.relations, strict=True)):
                if gold is None or name not in RELATIONS:
                    continue
                if dependent == i:
                    key = (name, DIRECTIONS[0])
                    hits[key] = hits.get(key, 0) + (partner == gold)
                if gold == i:
                    key = (name, DIRECTIONS[1])
                    hits[key] = hits.get(key, 0) + (partner == dependent)
    return weights_at, tops_at, hits, distance, special, n_words


@pytest.mark.parametrize("name", ["headwise-h4", "encoder", "decoder"])
@pytest.mark.parametrize(("layer", "head"), [(0, 1), (1, 1)])
def test_a_heads_record_agrees_with_loops(models, trees, encoder, decoder, name, layer, head):
    model = {"encoder": encoder, "decoder": decoder}.get(name) or models[name]
    tokenised = tokenise_with(model, trees)
    counts = accumulate_counts(model.transformer, tokenised)
    record = head_records(model.transformer, counts, counts)[layer * model.card.n_heads + head]
    weights_at, tops_at, hits, distance, special, n_words = record_by_loops(
        model, tokenised, layer, head
    )
    assert (record.layer, record.head) == (layer, head)
    for position in POSITIONS:
        assert record.weights[position] == pytest.approx(weights_at[position] / n_words, abs=1e-4)
        assert record.top_word_shares[position] == pytest.approx(
            tops_at[position] / n_words, abs=1e-4
        )
    assert record.distance == pytest.approx(distance / n_words, abs=1e-4)
    recorded_hits = {(f.relation, f.direction): f.test.hits for f in record.findings if f.test.n}
    assert recorded_hits == hits
    if name == "encoder":
        assert record.special == pytest.approx(special / n_words, abs=1e-4)
    else:
        assert record.special is None


def test_every_token_is_in_a_word_of_the_tree(tokenised_trees):
    for each in tokenised_trees:
        assert set(each.word_of) == set(range(len(each.tree.words)))
    second = tokenised_trees[1]
    assert second.word_of.count(4) > 1, "zyzzyvas is split"


def test_special_tokens_are_in_no_word_of_the_tree(encoder, trees):
    for each in tokenise_with(encoder, trees):
        n = len(each.tree.words)
        assert each.word_of[0] == n
        assert each.word_of[-1] == n + 1
        assert set(each.word_of[1:-1]) == set(range(n))
        assert each.content_indices == list(range(1, len(each.ids) - 1))


def test_tokens_that_begin_with_a_space_are_in_the_word_that_they_begin(decoder, trees):
    for each in tokenise_with(decoder, trees):
        pieces = [""] * len(each.tree.words)
        for token_id, word in zip(each.ids, each.word_of, strict=True):
            pieces[word] += decoder.tokenizer.id_to_token(token_id).replace("Ġ", " ")
        assert [piece.strip() for piece in pieces] == list(each.tree.words)


def test_a_lone_space_is_in_the_next_word(decoder):
    tree = Tree(("a", "Q"), (None, 0), ("root", "obj"), (False, False))
    tokenised = tokenise_tree(tree, decoder.tokenizer, 48)
    assert [decoder.tokenizer.id_to_token(token_id) for token_id in tokenised.ids] == [
        "a",
        "Ġ",
        "Q",
    ]
    assert tokenised.word_of == (0, 1, 1)


def test_a_query_without_weight_on_other_words_has_no_partner():
    tree = Tree(("She", "runs"), (1, None), ("nsubj", "root"), (False, False))
    causal = np.array([[[1.0, 0.0], [0.4, 0.6]]])
    assert top_partners(causal, tree).tolist() == [[-1, 0]]


def test_a_word_attending_only_to_special_tokens_has_no_top_word():
    tree = Tree(("She", "runs"), (1, None), ("nsubj", "root"), (False, False))
    merged = np.array([[[0.0, 0.0, 1.0], [0.3, 0.1, 0.6], [0.0, 0.0, 1.0]]])
    counts = HeadCounts(1)
    update_counts(counts, merged, TokenisedTree(tree, (5, 6, 3), (0, 1, 2)))
    assert dict(zip(POSITIONS, counts.top_words[0], strict=True)) == {
        "previous": 1, "next": 0, "itself": 0, "same word": 0, "first": 1, "punctuation": 0
    }  # fmt: skip
    assert counts.special == pytest.approx([1.6])
    assert counts.weights[0, POSITIONS.index("itself")] == pytest.approx(0.25)
    assert counts.hits.sum() == 1


def test_a_sentence_that_is_too_long_is_left_out(models, tokenised_trees):
    tokenizer = models["headwise-h4"].tokenizer
    assert tokenise_tree(tokenised_trees[0].tree, tokenizer, 7) is None
    assert tokenise_tree(tokenised_trees[0].tree, tokenizer, 8) is not None


def test_fixed_offsets_are_counted(tokenised_trees):
    det = list(RELATIONS).index("det")
    hits = offset_hits(tokenised_trees)
    assert hits[10 + 2, det, 0] == 1  # The → cat
    assert hits[10 + 1, det, 0] == 1  # a → mat
    assert hits[:, det].sum() == 4


def test_the_best_offset_is_chosen_on_dev_and_reported_on_test(tokenised_trees):
    (aux,) = [
        each
        for each in baselines(tokenised_trees, tokenised_trees, [])
        if (each.relation, each.direction) == ("aux", DIRECTIONS[0])
    ]
    assert aux.offset == 2
    assert (aux.offset_share.hits, aux.offset_share.n) == (1, 1)


def test_untrained_copies_are_judged_by_their_best_head_on_dev(models, tokenised_trees):
    counts = accumulate_counts(models["headwise-h4"].transformer, tokenised_trees)
    for each in baselines(tokenised_trees, tokenised_trees, [(counts, counts)]):
        r, d = list(RELATIONS).index(each.relation), DIRECTIONS.index(each.direction)
        n = max(each.offset_share.n, 1)
        assert each.untrained_rates == (round(int(counts.hits[:, r, d].max()) / n, 4),)
        assert np.all(counts.cases[r, d] == each.offset_share.n)

"""Measure every head of a model on a treebank."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from app.attention.forward_pass import forward
from app.attention.metrics import row_entropy, select_and_renormalise, token_to_word_attention
from app.attention.random_init import untrained_copy
from app.attention.transformer import Transformer
from app.attention.weights import Matrix
from app.evaluation.progress import NO_PROGRESS, Progress
from app.evaluation.report import (
    DIRECTIONS,
    POSITIONS,
    RELATIONS,
    Baselines,
    Finding,
    HeadRecord,
    Share,
)
from app.evaluation.treebank import Tree
from app.models.tokenizer import SPACE_SYMBOL, SentenceTokenizer, Token

MAX_OFFSET = 10
"""Largest fixed offset of the baseline, in words to the left or right."""

_RELATION_NAMES = list(RELATIONS)


@dataclass(frozen=True)
class TokenisedTree:
    """A sentence with its token ids and, for each token, the index of its word in the tree.

    Special tokens are words too, with indices after those of the tree.
    """

    tree: Tree
    ids: tuple[int, ...]
    word_of: tuple[int, ...]

    @property
    def content_indices(self) -> list[int]:
        """Indices of the tokens that are not special."""
        n = len(self.tree.words)
        return [index for index, word in enumerate(self.word_of) if word < n]

    @property
    def arcs(self) -> list[tuple[int, int, int, int]]:
        """(query, key, relation, direction) of every measured relation, in both directions."""
        arcs = []
        for dependent, (head, name) in enumerate(
            zip(self.tree.heads, self.tree.relations, strict=True)
        ):
            if head is not None and name in RELATIONS:
                relation = _RELATION_NAMES.index(name)
                arcs += [(dependent, head, relation, 0), (head, dependent, relation, 1)]
        return arcs


def tokenise_tree(
    tree: Tree, tokenizer: SentenceTokenizer, max_tokens: int
) -> TokenisedTree | None:
    """Tokenise a sentence, None if it is too long or a word has no token."""
    sentence = tokenizer.sentence(" ".join(tree.words))
    ends = np.cumsum([len(word) + 1 for word in tree.words])
    special_word_ids = count(len(tree.words))
    word_of = tuple(
        next(special_word_ids)
        if token.special
        else int(np.searchsorted(ends, _anchor(token), side="right"))
        for token in sentence.tokens
    )
    if len(word_of) > max_tokens or set(word_of) != set(range(next(special_word_ids))):
        return None
    return TokenisedTree(tree, tuple(sentence.ids), word_of)


def _anchor(token: Token) -> int:
    """Return the character that decides the word of a token.

    A whitespace token belongs to the word after it.
    """
    return token.end if token.text == SPACE_SYMBOL else token.start


def tokenise_trees(
    trees: Iterable[Tree], tokenizer: SentenceTokenizer, max_tokens: int
) -> tuple[list[TokenisedTree], int]:
    """Return the tokenised sentences, and the number of those that cannot be used."""
    tokenised = [tokenise_tree(tree, tokenizer, max_tokens) for tree in trees]
    readable = [each for each in tokenised if each]
    return readable, len(tokenised) - len(readable)


@dataclass
class HeadCounts:
    """Sums over sentences. The first axis of arrays is the heads of all layers, layer by layer.

    `special` is the weight of words on special tokens, and `n_special_tokens` the number of those;
    everything else is computed without them. By position (see `POSITIONS`), `weights` is the weight
    on it and `top_words` the number of queries with their top word there. `hits` counts by relation
    and direction how often the top word is the partner, among `cases`.
    """

    n_heads: int
    words: int = 0
    n_special_tokens: int = 0
    special: NDArray[np.float64] = field(init=False)
    weights: NDArray[np.float64] = field(init=False)
    top_words: NDArray[np.float64] = field(init=False)
    entropy: NDArray[np.float64] = field(init=False)
    distance: NDArray[np.float64] = field(init=False)
    hits: NDArray[np.int64] = field(init=False)
    cases: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.special = np.zeros(self.n_heads)
        self.weights = np.zeros((self.n_heads, len(POSITIONS)))
        self.top_words = np.zeros((self.n_heads, len(POSITIONS)))
        self.entropy = np.zeros(self.n_heads)
        self.distance = np.zeros(self.n_heads)
        self.hits = np.zeros((self.n_heads, len(RELATIONS), len(DIRECTIONS)), np.int64)
        self.cases = np.zeros((len(RELATIONS), len(DIRECTIONS)), np.int64)


def position_masks(tree: Tree) -> NDArray[np.bool_]:
    """Return (n_positions, n, n), True where a key is at that position relative to the query."""
    n = len(tree.words)
    lowercased = np.array([word.lower() for word in tree.words])
    same_word = (lowercased[:, None] == lowercased) & ~np.eye(n, dtype=bool)
    first, punctuation = np.zeros((2, n, n), bool)
    first[:, 0] = True
    punctuation[:, list(tree.punctuation)] = True
    return np.stack(
        [*(np.eye(n, k=k, dtype=bool) for k in (-1, 1, 0)), same_word, first, punctuation]
    )


def top_partners(weights: Matrix, tree: Tree) -> NDArray[np.intp]:
    """Return the top word of each query (n_heads, n), without itself and punctuation.

    It is -1 if all other weights are 0, as for the first word of a causal model.
    """
    n = len(tree.words)
    excluded = np.eye(n, dtype=bool) | np.array(tree.punctuation)
    others = np.where(excluded, 0.0, weights)
    return np.where(others.any(axis=-1), others.argmax(axis=-1), -1)


def accumulate_counts(model: Transformer, sentences: Iterable[TokenisedTree]) -> HeadCounts:
    """Run a model on every sentence, and count."""
    n_heads = len(model.layers) * model.n_heads
    counts = HeadCounts(n_heads)
    for sentence in sentences:
        maps = np.concatenate(
            forward(model, sentence.ids, last_layer=len(model.layers) - 1).weights
        )
        merged = token_to_word_attention(maps.astype(np.float64), sentence.word_of)
        update_counts(counts, merged, sentence)
    return counts


def _word_attention(counts: HeadCounts, merged: Matrix, n_words: int) -> Matrix:
    """Count the weights on special tokens, and return those between words (n_heads, n, n).

    Rows are renormalised to sum to 1.
    """
    n_special_tokens = merged.shape[-1] - n_words
    if not n_special_tokens:
        return merged
    counts.n_special_tokens += n_special_tokens
    counts.special += merged[:, :n_words, n_words:].sum(axis=(1, 2))
    return select_and_renormalise(merged, list(range(n_words)))


def update_counts(counts: HeadCounts, merged: Matrix, sentence: TokenisedTree) -> None:
    """Add one sentence to `counts`.

    `merged` are its weights between words (n_heads, n, n), special tokens last.
    """
    n = len(sentence.tree.words)
    weights = _word_attention(counts, merged, n)
    masks = position_masks(sentence.tree)
    top_words = weights.argmax(axis=-1)  # (n_heads, n)
    queries = np.arange(n)
    attends_to_words = weights.any(axis=-1)  # (n_heads, n), False if special tokens have all weight
    counts.words += n
    counts.weights += np.einsum("hqk,pqk->hp", weights, masks)
    counts.top_words += (masks[:, queries, top_words] & attends_to_words).sum(axis=-1).T
    counts.entropy += row_entropy(weights).sum(axis=-1)
    counts.distance += (weights * np.abs(queries[:, None] - queries)).sum(axis=(1, 2))
    partners = top_partners(weights, sentence.tree)
    for query, key, relation, direction in sentence.arcs:
        counts.hits[:, relation, direction] += partners[:, query] == key
        counts.cases[relation, direction] += 1


def offset_hits(sentences: Iterable[TokenisedTree]) -> NDArray[np.int64]:
    """Count how often the partner is at each fixed offset: (offsets, relations, directions)."""
    hits = np.zeros((2 * MAX_OFFSET + 1, len(RELATIONS), len(DIRECTIONS)), np.int64)
    for sentence in sentences:
        for query, key, relation, direction in sentence.arcs:
            if abs(key - query) <= MAX_OFFSET:
                hits[key - query + MAX_OFFSET, relation, direction] += 1
    return hits


def head_records(model: Transformer, dev: HeadCounts, test: HeadCounts) -> tuple[HeadRecord, ...]:
    """Return a record of every head from the counts of both parts."""
    n_heads = model.n_heads
    return tuple(
        HeadRecord(
            layer=index // n_heads,
            head=index % n_heads,
            weights=_by_position(test.weights[index] / test.words),
            top_word_shares=_by_position(test.top_words[index] / test.words),
            entropy=round(float(test.entropy[index] / test.words), 4),
            distance=round(float(test.distance[index] / test.words), 4),
            special=round(float(test.special[index] / test.words), 4)
            if test.n_special_tokens
            else None,
            findings=tuple(
                Finding(
                    relation=name,
                    direction=direction,
                    dev=_share_of_relation(dev.hits[index], dev.cases, r, d),
                    test=_share_of_relation(test.hits[index], test.cases, r, d),
                )
                for r, name in enumerate(_RELATION_NAMES)
                for d, direction in enumerate(DIRECTIONS)
            ),
        )
        for index in range(test.n_heads)
    )


def untrained_top_shares(counts: Iterable[HeadCounts]) -> dict[str, float]:
    """Return for each position the largest share of top words of any head of untrained models."""
    return _by_position(
        np.max([(each.top_words / each.words).max(axis=0) for each in counts], axis=0)
    )


def _by_position(values: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(POSITIONS, values, strict=True)}


def _share_of_relation(hits: NDArray[np.int64], cases: NDArray[np.int64], r: int, d: int) -> Share:
    return Share(hits=int(hits[r, d]), n=int(cases[r, d]))


def baselines(
    dev: Sequence[TokenisedTree],
    test: Sequence[TokenisedTree],
    untrained: Sequence[tuple[HeadCounts, HeadCounts]],
) -> tuple[Baselines, ...]:
    """Return the baselines of every relation and direction.

    `untrained` are the counts of untrained models on dev and test.
    """
    dev_offsets, test_offsets = offset_hits(dev), offset_hits(test)
    result = []
    for r, name in enumerate(_RELATION_NAMES):
        for d, direction in enumerate(DIRECTIONS):
            best = int(dev_offsets[:, r, d].argmax())
            n = sum(arc[2:] == (r, d) for each in test for arc in each.arcs)
            rates = [
                float(on_test.hits[on_dev.hits[:, r, d].argmax(), r, d]) / max(n, 1)
                for on_dev, on_test in untrained
            ]
            result.append(
                Baselines(
                    relation=name,
                    direction=direction,
                    offset=best - MAX_OFFSET,
                    offset_share=Share(hits=int(test_offsets[best, r, d]), n=n),
                    untrained_rates=tuple(round(rate, 4) for rate in rates),
                )
            )
    return tuple(result)


@dataclass(frozen=True)
class HeadEvaluation:
    """Measurements of a model on a treebank, without losses."""

    words: int
    heads: tuple[HeadRecord, ...]
    baselines: tuple[Baselines, ...]
    untrained_top_shares: dict[str, float]


def evaluate_heads(
    model: Transformer,
    dev: Sequence[TokenisedTree],
    test: Sequence[TokenisedTree],
    untrained_seeds: Sequence[int],
    progress: Progress = NO_PROGRESS,
) -> HeadEvaluation:
    """Measure a model and untrained copies of it.

    Best heads and offsets are chosen on `dev`; everything is reported on `test`.
    """
    untrained_counts: list[tuple[HeadCounts, HeadCounts]] = []
    for number, seed in enumerate(untrained_seeds, 1):
        stage = f"untrained model {number} of {len(untrained_seeds)}"
        # Not cached: each copy is as large as the model.
        untrained = untrained_copy.__wrapped__(model, seed)
        untrained_counts.append(
            (
                accumulate_counts(untrained, progress.track(stage, dev)),
                accumulate_counts(untrained, progress.track(stage, test)),
            )
        )
    on_dev = accumulate_counts(model, progress.track("heads", dev))
    on_test = accumulate_counts(model, progress.track("heads", test))
    return HeadEvaluation(
        on_test.words,
        head_records(model, on_dev, on_test),
        baselines(dev, test, untrained_counts),
        untrained_top_shares(untrained_on_test for _, untrained_on_test in untrained_counts),
    )

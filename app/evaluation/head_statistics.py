"""Measures every head of a model on a treebank."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.attention.metrics import row_entropy, select_and_renormalise, token_to_word_attention
from app.attention.transformer import Transformer, forward, untrained_copy
from app.attention.weights import Matrix
from app.evaluation.report import (
    DIRECTIONS,
    PLACES,
    RELATIONS,
    Baselines,
    Finding,
    HeadRecord,
    Share,
)
from app.evaluation.treebank import Tree
from app.models.tokenizer import SPACE, SentenceTokenizer, Token

FARTHEST = 10
"""Fixed offsets are tried up to so many words to the left and to the right."""

_NAMES = list(RELATIONS)

Item = TypeVar("Item")


class Watch:
    """Is told which sentences are read, and for what; this one keeps it to itself."""

    def over(self, stage: str, items: Sequence[Item]) -> Iterable[Item]:  # noqa: ARG002
        return items


UNWATCHED = Watch()


@dataclass(frozen=True)
class Reading:
    """A tree as a model reads it: token ids, and the word of the tree that each token is in.

    Every special token is a word of its own, after those of the tree.
    """

    tree: Tree
    ids: tuple[int, ...]
    word_of: tuple[int, ...]

    @property
    def plain(self) -> list[int]:
        """The places of the tokens that stand in the tree."""
        n = len(self.tree.words)
        return [place for place, word in enumerate(self.word_of) if word < n]

    @property
    def arcs(self) -> list[tuple[int, int, int, int]]:
        """(query, key, relation, direction) of every measured relation, both ways."""
        found = []
        for dependent, (head, name) in enumerate(
            zip(self.tree.heads, self.tree.relations, strict=True)
        ):
            if head is not None and name in RELATIONS:
                relation = _NAMES.index(name)
                found += [(dependent, head, relation, 0), (head, dependent, relation, 1)]
        return found


def reading(tree: Tree, tokenizer: SentenceTokenizer, max_tokens: int) -> Reading | None:
    """None if the sentence is too long, or has a word of which no token is left."""
    sentence = tokenizer.sentence(" ".join(tree.words))
    ends = np.cumsum([len(word) + 1 for word in tree.words])
    specials = count(len(tree.words))
    word_of = tuple(
        next(specials) if token.special else int(np.searchsorted(ends, _place(token), side="right"))
        for token in sentence.tokens
    )
    if len(word_of) > max_tokens or set(word_of) != set(range(next(specials))):
        return None
    return Reading(tree, tuple(sentence.ids), word_of)


def _place(token: Token) -> int:
    """Where a token counts as standing: a lone space belongs to the word that it leads to."""
    return token.end if token.text == SPACE else token.start


def readings(
    trees: Iterable[Tree], tokenizer: SentenceTokenizer, max_tokens: int
) -> tuple[list[Reading], int]:
    """The sentences that a model can read, and how many it cannot."""
    read = [reading(tree, tokenizer, max_tokens) for tree in trees]
    kept = [each for each in read if each]
    return kept, len(read) - len(kept)


@dataclass
class Counts:
    """Sums over sentences; the first axis is all heads of all layers, layer by layer.

    `special` is what words give to special tokens, of which `n_specials` were read; all else is of
    what they give to words.
    """

    n_heads: int
    words: int = 0
    n_specials: int = 0
    special: NDArray[np.float64] = field(init=False)
    weights: NDArray[np.float64] = field(init=False)
    tops: NDArray[np.float64] = field(init=False)
    entropy: NDArray[np.float64] = field(init=False)
    distance: NDArray[np.float64] = field(init=False)
    hits: NDArray[np.int64] = field(init=False)
    cases: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.special = np.zeros(self.n_heads)
        self.weights = np.zeros((self.n_heads, len(PLACES)))
        self.tops = np.zeros((self.n_heads, len(PLACES)))
        self.entropy = np.zeros(self.n_heads)
        self.distance = np.zeros(self.n_heads)
        self.hits = np.zeros((self.n_heads, len(RELATIONS), len(DIRECTIONS)), np.int64)
        self.cases = np.zeros((len(RELATIONS), len(DIRECTIONS)), np.int64)


def places(tree: Tree) -> NDArray[np.bool_]:
    """(n_places, n, n), true where a key stands at that place of a query; see `PLACES`."""
    n = len(tree.words)
    forms = np.array([word.lower() for word in tree.words])
    same = (forms[:, None] == forms) & ~np.eye(n, dtype=bool)
    first, punctuation = np.zeros((2, n, n), bool)
    first[:, 0] = True
    punctuation[:, list(tree.punctuation)] = True
    return np.stack([*(np.eye(n, k=k, dtype=bool) for k in (-1, 1, 0)), same, first, punctuation])


def top_partners(weights: Matrix, tree: Tree) -> NDArray[np.intp]:
    """(n_heads, n): each query's top word, itself and punctuation set aside; -1 if it reads no
    other, as the first word of a causal model.
    """
    n = len(tree.words)
    aside = np.eye(n, dtype=bool) | np.array(tree.punctuation)
    others = np.where(aside, 0.0, weights)
    return np.where(others.any(axis=-1), others.argmax(axis=-1), -1)


def counted(model: Transformer, readings: Iterable[Reading]) -> Counts:
    """Runs the model over every sentence."""
    n_heads = len(model.layers) * model.n_heads
    counts = Counts(n_heads)
    for each in readings:
        maps = np.concatenate(forward(model, each.ids, last_layer=len(model.layers) - 1).weights)
        merged = token_to_word_attention(maps.astype(np.float64), each.word_of)
        add_up(counts, merged, each)
    return counts


def _of_words(counts: Counts, merged: Matrix, n: int) -> Matrix:
    """The weights among the n words (n_heads, n, n), each row brought back to 1, once what they
    give to special tokens has been counted.
    """
    n_specials = merged.shape[-1] - n
    if not n_specials:
        return merged
    counts.n_specials += n_specials
    counts.special += merged[:, :n, n:].sum(axis=(1, 2))
    return select_and_renormalise(merged, list(range(n)))


def add_up(counts: Counts, merged: Matrix, each: Reading) -> None:
    """`merged` are the weights (n_heads, n, n) between the words of the tree and, after them, the
    special tokens.
    """
    n = len(each.tree.words)
    weights = _of_words(counts, merged, n)
    at = places(each.tree)
    tops = weights.argmax(axis=-1)  # (n_heads, n)
    queries = np.arange(n)
    reads_words = weights.any(axis=-1)  # (n_heads, n), false where special tokens get it all
    counts.words += n
    counts.weights += np.einsum("hqk,pqk->hp", weights, at)
    counts.tops += (at[:, queries, tops] & reads_words).sum(axis=-1).T
    counts.entropy += row_entropy(weights).sum(axis=-1)
    counts.distance += (weights * np.abs(queries[:, None] - queries)).sum(axis=(1, 2))
    partners = top_partners(weights, each.tree)
    for query, key, relation, direction in each.arcs:
        counts.hits[:, relation, direction] += partners[:, query] == key
        counts.cases[relation, direction] += 1


def offset_hits(readings: Iterable[Reading]) -> NDArray[np.int64]:
    """(offsets, relations, directions): how often the partner stands at a fixed distance."""
    hits = np.zeros((2 * FARTHEST + 1, len(RELATIONS), len(DIRECTIONS)), np.int64)
    for each in readings:
        for query, key, relation, direction in each.arcs:
            if abs(key - query) <= FARTHEST:
                hits[key - query + FARTHEST, relation, direction] += 1
    return hits


def head_records(model: Transformer, dev: Counts, test: Counts) -> tuple[HeadRecord, ...]:
    n_heads = model.n_heads
    return tuple(
        HeadRecord(
            layer=index // n_heads,
            head=index % n_heads,
            weights=_rounded(test.weights[index] / test.words),
            tops=_rounded(test.tops[index] / test.words),
            entropy=round(float(test.entropy[index] / test.words), 4),
            distance=round(float(test.distance[index] / test.words), 4),
            special=round(float(test.special[index] / test.words), 4) if test.n_specials else None,
            findings=tuple(
                Finding(
                    relation=name,
                    direction=direction,
                    dev=_share(dev.hits[index], dev.cases, r, d),
                    test=_share(test.hits[index], test.cases, r, d),
                )
                for r, name in enumerate(_NAMES)
                for d, direction in enumerate(DIRECTIONS)
            ),
        )
        for index in range(test.n_heads)
    )


def twin_tops(twins: Iterable[Counts]) -> dict[str, float]:
    """For each place the largest share of top words that any head of untrained models has there."""
    return _rounded(np.max([(each.tops / each.words).max(axis=0) for each in twins], axis=0))


def _rounded(values: NDArray[np.float64]) -> dict[str, float]:
    return {place: round(float(value), 4) for place, value in zip(PLACES, values, strict=True)}


def _share(hits: NDArray[np.int64], cases: NDArray[np.int64], r: int, d: int) -> Share:
    return Share(hits=int(hits[r, d]), n=int(cases[r, d]))


def baselines(
    dev: Sequence[Reading], test: Sequence[Reading], twins: Sequence[tuple[Counts, Counts]]
) -> tuple[Baselines, ...]:
    """`twins` are the counts of untrained models on dev and test."""
    dev_offsets, test_offsets = offset_hits(dev), offset_hits(test)
    found = []
    for r, name in enumerate(_NAMES):
        for d, direction in enumerate(DIRECTIONS):
            best = int(dev_offsets[:, r, d].argmax())
            n = sum(arc[2:] == (r, d) for each in test for arc in each.arcs)
            rates = [
                float(on_test.hits[on_dev.hits[:, r, d].argmax(), r, d]) / max(n, 1)
                for on_dev, on_test in twins
            ]
            found.append(
                Baselines(
                    relation=name,
                    direction=direction,
                    offset=best - FARTHEST,
                    offset_share=Share(hits=int(test_offsets[best, r, d]), n=n),
                    twins=tuple(round(rate, 4) for rate in rates),
                )
            )
    return tuple(found)


@dataclass(frozen=True)
class Figures:
    """What is measured of a model on a treebank, its losses aside."""

    words: int
    heads: tuple[HeadRecord, ...]
    baselines: tuple[Baselines, ...]
    twin_tops: dict[str, float]


def figures(
    model: Transformer,
    dev: Sequence[Reading],
    test: Sequence[Reading],
    twin_seeds: Sequence[int],
    watch: Watch = UNWATCHED,
) -> Figures:
    """Heads and distances are chosen on `dev`, all else is told of `test`."""
    twins: list[tuple[Counts, Counts]] = []
    for number, seed in enumerate(twin_seeds, 1):
        stage = f"untrained twin {number} of {len(twin_seeds)}"
        twin = untrained_copy.__wrapped__(
            model, seed
        )  # not one that is kept: each is a whole model
        twins.append(
            (counted(twin, watch.over(stage, dev)), counted(twin, watch.over(stage, test)))
        )
    on_dev = counted(model, watch.over("its heads", dev))
    on_test = counted(model, watch.over("its heads", test))
    return Figures(
        on_test.words,
        head_records(model, on_dev, on_test),
        baselines(dev, test, twins),
        twin_tops(told for _, told in twins),
    )

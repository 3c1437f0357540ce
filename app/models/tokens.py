"""A sentence as the models see it: tokens, and the words they are pieces of."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from tokenizers import Encoding, Tokenizer

# What a text field cannot hold or a page cannot show; a space keeps the words apart.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# "don't" is one word to a reader; the tokenizer's own words would be three.
_JOINED = re.compile(r"[^\W_]+(?:['’][^\W_]+)+")


@dataclass(frozen=True)
class Token:
    """`text` is the learner's own characters, `[start:end]` their place in the sentence.

    `word` counts words from 0; `known` is false where the vocabulary has no piece that fits.
    """

    id: int
    text: str
    start: int
    end: int
    word: int
    known: bool


@dataclass(frozen=True)
class Word:
    """One or several tokens that stand in one word."""

    index: int
    text: str
    pieces: tuple[Token, ...]

    @property
    def is_split(self) -> bool:
        return len(self.pieces) > 1


@dataclass(frozen=True)
class Sentence:
    """What a learner typed, and its tokens; no token at all for blank text."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @cached_property
    def word_of(self) -> list[int]:
        """The word of each token."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        grouped = groupby(self.tokens, key=lambda token: token.word)
        return [self._word(index, tuple(pieces)) for index, pieces in grouped]

    def _word(self, index: int, pieces: tuple[Token, ...]) -> Word:
        return Word(index, self.text[pieces[0].start : pieces[-1].end], pieces)

    def place_if_repeated(self, word: int) -> int | None:
        """The word's place from 1, but None if no other word is spelled like it."""
        spelled = [each.text for each in self.words]
        return word + 1 if spelled.count(spelled[word]) > 1 else None

    def start(self, n_tokens: int) -> str:
        """The text up to the end of the last whole word within the first `n_tokens` tokens."""
        if len(self.tokens) <= n_tokens:
            return self.text
        cut = self.tokens[n_tokens].word
        whole = [token for token in self.tokens[:n_tokens] if token.word < cut]
        kept = whole or list(self.tokens[:n_tokens])
        return self.text[: kept[-1].end]


def tidy(text: str) -> str:
    """The text as pages and links can hold it: control characters and line breaks become spaces,
    half surrogate pairs, which are no characters, "�".
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", whole)


class SentenceTokenizer:
    """Splits text with a `tokenizer.json`; never pads, never truncates, adds no special tokens."""

    def __init__(self, file: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._unknown_id = self._tokenizer.token_to_id("[UNK]")

    def sentence(self, text: str) -> Sentence:
        """Any string will do: see `tidy`."""
        clean = tidy(text)
        encoding = self._tokenizer.encode(clean, add_special_tokens=False)
        return Sentence(clean, tuple(self._tokens(clean, encoding)))

    def token(self, token_id: int) -> str:
        """The vocabulary's own spelling of a token: "##ing" continues a word."""
        return str(self._tokenizer.id_to_token(token_id))

    def _tokens(self, text: str, encoding: Encoding) -> Iterator[Token]:
        joined = [match.span() for match in _JOINED.finditer(text)]
        begins = [begin for begin, _ in joined]
        word, last = -1, None
        for token_id, (start, end), piece_of in zip(
            encoding.ids, encoding.offsets, encoding.word_ids, strict=True
        ):
            at = bisect_right(begins, start) - 1
            here = joined[at] if at >= 0 and start < joined[at][1] else piece_of
            word += here != last
            last = here
            yield Token(token_id, text[start:end], start, end, word, token_id != self._unknown_id)

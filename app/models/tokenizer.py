"""A sentence as the models see it: tokens, and the words they are pieces of."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from unicodedata import category

from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

# What a text field cannot hold or a page cannot show; a space keeps the words apart.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")

# "don't" is one word to a reader; the tokenizer's own words would be three.
# Possessive, and never from within a word: a word of thousands of letters is looked at once.
_JOINED = re.compile(r"(?<![^\W_])[^\W_]++(?:['’][^\W_]++)+")

_SPACES = re.compile(r"\s*")

SPACE = "␣"
"""Shown for a token that is nothing but space."""

STARTS_A_WORD = ("Ġ", "▁")
"""How vocabularies of pairs and of sentence pieces spell the space before a token."""

MASKS = ("[MASK]", "<mask>")
"""What tokenizers call the token that stands for a hidden word."""


@dataclass(frozen=True)
class Token:
    """`text` is the learner's own characters, `[start:end]` their place in the sentence.

    `word` counts words from 0; `known` is false where the vocabulary has no piece that fits. A
    `special` token is none of the learner's: the model's own tokenizer adds it.
    """

    id: int
    text: str
    start: int
    end: int
    word: int
    known: bool
    special: bool = False


@dataclass(frozen=True)
class Word:
    """One or several tokens that stand in one word; a special token is a word by itself."""

    index: int
    text: str
    pieces: tuple[Token, ...]

    @property
    def is_split(self) -> bool:
        return len(self.pieces) > 1

    @property
    def is_special(self) -> bool:
        return self.pieces[0].special


@dataclass(frozen=True)
class Sentence:
    """What a learner typed, and its tokens; for blank text none but special ones and spaces.

    Words of the learner's are counted first, so that a word has one number whatever a model adds.
    """

    text: str
    tokens: tuple[Token, ...]

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @cached_property
    def is_blank(self) -> bool:
        return all(token.special or token.text == SPACE for token in self.tokens)

    @cached_property
    def plain(self) -> list[int]:
        """The places of the tokens that are the learner's own."""
        return [i for i, token in enumerate(self.tokens) if not token.special]

    @property
    def n_specials(self) -> int:
        return len(self.tokens) - len(self.plain)

    @cached_property
    def word_of(self) -> list[int]:
        """The word of each token."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """By their numbers: the learner's, then those that are special tokens."""
        grouped = groupby(self.tokens, key=lambda token: token.word)
        words = [self._word(index, tuple(pieces)) for index, pieces in grouped]
        return sorted(words, key=lambda word: word.index)

    @property
    def plain_words(self) -> list[Word]:
        """The learner's own."""
        return [word for word in self.words if not word.is_special]

    def _word(self, index: int, pieces: tuple[Token, ...]) -> Word:
        text = self.text[pieces[0].start : pieces[-1].end].strip()
        return Word(index, pieces[0].text if pieces[0].special else text or SPACE, pieces)

    def place_if_repeated(self, word: int) -> int | None:
        """The word's place from 1, but None if no other word is spelled like it."""
        return word + 1 if self.spelled.count(self.spelled[word]) > 1 else None

    @cached_property
    def spelled(self) -> list[str]:
        """The words as text, by their numbers."""
        return [word.text for word in self.words]

    def start(self, n_tokens: int) -> str:
        """The text up to the end of the last whole word within the first `n_tokens` tokens, those
        that a model adds included.
        """
        if len(self.tokens) <= n_tokens:
            return self.text
        own = [self.tokens[place] for place in self.plain]
        most = max(1, n_tokens - self.n_specials)
        if len(own) <= most:
            return self.text
        cut = own[most]
        whole = [token for token in own[:most] if token.word < cut.word]
        # A character may be several tokens, none of which can stand without the others.
        kept = whole or [token for token in own[:most] if token.end <= cut.start] or own[:1]
        return self.text[: kept[-1].end]


def tidy(text: str) -> str:
    """The text as pages and links can hold it: control characters and line breaks become spaces,
    half surrogate pairs, which are no characters, "�".
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", whole)


def is_punctuation(character: str) -> bool:
    """As BERT's tokenizer has it: Unicode's punctuation, and all signs of ASCII."""
    return category(character)[0] == "P" or character in "$+<=>^`|~"


IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
"""First and last of the ranges of signs that stand for words."""


def stands_alone(character: str) -> bool:
    """Whether it is a word by itself, as BERT's tokenizer has it."""
    code = ord(character)
    return is_punctuation(character) or any(first <= code <= last for first, last in IDEOGRAPHS)


def word_at(text: str) -> list[int]:
    """For each character the word that it stands in, -1 for space: words are parted by space, and
    every sign of punctuation and every ideograph is one of its own.
    """
    found, word, within = [], -1, False
    for character in text:
        if character.isspace():
            found.append(-1)
            within = False
            continue
        alone = stands_alone(character)
        word += alone or not within
        found.append(word)
        within = not alone
    return found


def after_space(text: str, start: int) -> int:
    """The place of the first character from `start` on that is no space, or the text's end."""
    spaces = _SPACES.match(text, start)
    return spaces.end() if spaces else len(text)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A token's place without the space before it, unless there is nothing else."""
    bare = text[start:end].lstrip()
    return (end - len(bare), end) if bare else (start, end)


@contextmanager
def rust_errors(reason: str) -> Iterator[None]:
    """What goes wrong inside as a `ValueError`: the library has no error of its own, and what it
    panics with is no `Exception`, so that a server would end of it.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ValueError(f"{reason}: {error}") from error


def read_tokenizer(file: Path) -> Tokenizer:
    """Raises `ValueError` if the file is no tokenizer."""
    with rust_errors(f"{file.name} is no tokenizer"):
        return Tokenizer.from_file(str(file))


class SentenceTokenizer:
    """Splits text with a `tokenizer.json`; never pads, never truncates.

    With `specials` the tokens are added that the file says a sentence has around it. Raises
    `ValueError` for a file that is no tokenizer.
    """

    def __init__(self, file: Path, *, specials: bool = False) -> None:
        self._tokenizer = read_tokenizer(file)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.specials = specials
        self.digest = sha256(file.read_bytes()).hexdigest()
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown_id = None if unknown is None else self._tokenizer.token_to_id(unknown)
        # Its words are those of `word_at`; others' are parts of words, or whole sentences.
        self._has_words = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)

    def sentence(self, text: str) -> Sentence:
        """Any string will do: see `tidy`. Raises `ValueError` if the tokenizer fails at it, which
        only a damaged one does.
        """
        clean = tidy(text)
        encoding = self._encoded(clean)
        return Sentence(clean, tuple(self._tokens(clean, encoding)))

    def _encoded(self, text: str) -> Encoding:
        with rust_errors("the tokenizer cannot read this text"):
            return self._tokenizer.encode(text, add_special_tokens=self.specials)

    def token(self, token_id: int) -> str:
        """The vocabulary's own spelling of a token: "##ing" continues a word."""
        return str(self._tokenizer.id_to_token(token_id))

    def guess(self, token_id: int) -> tuple[str, bool]:
        """A token of the vocabulary as text, and whether it only continues a word."""
        spelled = self.token(token_id)
        if isinstance(self._tokenizer.model, WordPiece):
            text = spelled.removeprefix("##")
            return text, text != spelled
        text = str(self._tokenizer.decode([token_id], skip_special_tokens=False)).strip()
        starts_a_word = spelled.startswith(STARTS_A_WORD) or not text[:1].isalnum()
        return text or SPACE, not starts_a_word

    @cached_property
    def n_ids(self) -> int:
        """One more than the largest id that a token can have."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @cached_property
    def mask(self) -> str | None:
        """What stands for a hidden word, None if nothing does."""
        return next((name for name in MASKS if self._tokenizer.token_to_id(name) is not None), None)

    @cached_property
    def mask_id(self) -> int | None:
        return self._tokenizer.token_to_id(self.mask) if self.mask else None

    def reads_like(self, other: "SentenceTokenizer") -> bool:
        """Whether both make the same tokens of every text."""
        return (self.digest, self.specials) == (other.digest, other.specials)

    def _tokens(self, text: str, encoding: Encoding) -> Iterator[Token]:
        spans = [trimmed(text, *span) for span in encoding.offsets]
        own = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        words = dict(zip(own, self._words(text, encoding, own, spans), strict=True))
        n_words = max(words.values(), default=-1) + 1
        for index, (token_id, (start, end)) in enumerate(zip(encoding.ids, spans, strict=True)):
            if index in words:
                known = token_id != self._unknown_id
                spelled = text[start:end] if text[start:end].strip() else SPACE
                yield Token(token_id, spelled, start, end, words[index], known)
            else:
                place = len(text) if own and index > own[0] else 0
                name = self.token(token_id)
                yield Token(token_id, name, place, place, n_words, known=True, special=True)
                n_words += 1

    def _words(
        self, text: str, encoding: Encoding, own: Sequence[int], spans: Sequence[tuple[int, int]]
    ) -> Iterator[int]:
        """The word of each token of the learner's, counted from 0 without gaps. A token that is
        nothing but space belongs to the word that it stands before, as it would had the vocabulary
        a token for both.
        """
        joined = [match.span() for match in _JOINED.finditer(text)]
        begins = [begin for begin, _ in joined]
        starts = [start for start, _ in spans]
        pieces_of: Sequence[object] = encoding.word_ids
        if not self._has_words:
            places = [*word_at(text), -1]
            starts = [after_space(text, start) for start in starts]
            pieces_of = [places[start] for start in starts]
        word, last = -1, None
        for index in own:
            start = starts[index]
            at = bisect_right(begins, start) - 1
            here = joined[at] if at >= 0 and start < joined[at][1] else pieces_of[index]
            word += here != last
            last = here
            yield word

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
_CONTRACTION = re.compile(r"(?<![^\W_])[^\W_]++(?:['’][^\W_]++)+")

_WHITESPACE = re.compile(r"\s*")

SPACE_SYMBOL = "␣"
"""Shown for a token that is nothing but space."""

WORD_START_MARKERS = ("Ġ", "▁")
"""How vocabularies of pairs and of sentence pieces spell the space before a token."""

MASK_TOKENS = ("[MASK]", "<mask>")
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
        return all(token.special or token.text == SPACE_SYMBOL for token in self.tokens)

    @cached_property
    def content_indices(self) -> list[int]:
        """The places of the tokens that are the learner's own."""
        return [i for i, token in enumerate(self.tokens) if not token.special]

    @property
    def n_special_tokens(self) -> int:
        return len(self.tokens) - len(self.content_indices)

    @cached_property
    def word_of(self) -> list[int]:
        """The word of each token."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """By their numbers: the learner's, then those that are special tokens."""
        groups = groupby(self.tokens, key=lambda token: token.word)
        words = [self._build_word(index, tuple(pieces)) for index, pieces in groups]
        return sorted(words, key=lambda word: word.index)

    @property
    def content_words(self) -> list[Word]:
        """The learner's own."""
        return [word for word in self.words if not word.is_special]

    def _build_word(self, index: int, pieces: tuple[Token, ...]) -> Word:
        text = self.text[pieces[0].start : pieces[-1].end].strip()
        return Word(index, pieces[0].text if pieces[0].special else text or SPACE_SYMBOL, pieces)

    def ordinal_if_repeated(self, word: int) -> int | None:
        """The word's place from 1, but None if no other word is spelled like it."""
        return word + 1 if self.word_texts.count(self.word_texts[word]) > 1 else None

    @cached_property
    def word_texts(self) -> list[str]:
        """The words as text, by their numbers."""
        return [word.text for word in self.words]

    def truncated_text(self, max_tokens: int) -> str:
        """The text up to the end of the last whole word within the first `max_tokens` tokens, those
        that a model adds included.
        """
        if len(self.tokens) <= max_tokens:
            return self.text
        content = [self.tokens[place] for place in self.content_indices]
        n_content = max(1, max_tokens - self.n_special_tokens)
        if len(content) <= n_content:
            return self.text
        first_cut = content[n_content]
        whole_words = [token for token in content[:n_content] if token.word < first_cut.word]
        # A character may be several tokens, none of which can stand without the others.
        remaining = (
            whole_words
            or [token for token in content[:n_content] if token.end <= first_cut.start]
            or content[:1]
        )
        return self.text[: remaining[-1].end]


def sanitise_text(text: str) -> str:
    """The text as pages and links can hold it: control characters and line breaks become spaces,
    half surrogate pairs, which are no characters, "�".
    """
    valid = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", valid)


def is_punctuation(character: str) -> bool:
    """As BERT's tokenizer has it: Unicode's punctuation, and all signs of ASCII."""
    return category(character)[0] == "P" or character in "$+<=>^`|~"


IDEOGRAPH_RANGES = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
"""First and last of the ranges of signs that stand for words."""


def is_single_character_word(character: str) -> bool:
    """Whether it is a word by itself, as BERT's tokenizer has it."""
    code = ord(character)
    return is_punctuation(character) or any(
        first <= code <= last for first, last in IDEOGRAPH_RANGES
    )


def word_ids_of_characters(text: str) -> list[int]:
    """For each character the word that it stands in, -1 for space: words are parted by space, and
    every sign of punctuation and every ideograph is one of its own.
    """
    word_ids, word, in_word = [], -1, False
    for character in text:
        if character.isspace():
            word_ids.append(-1)
            in_word = False
            continue
        is_word = is_single_character_word(character)
        word += is_word or not in_word
        word_ids.append(word)
        in_word = not is_word
    return word_ids


def skip_spaces(text: str, start: int) -> int:
    """The place of the first character from `start` on that is no space, or the text's end."""
    spaces = _WHITESPACE.match(text, start)
    return spaces.end() if spaces else len(text)


def without_leading_space(text: str, start: int, end: int) -> tuple[int, int]:
    """A token's place without the space before it, unless there is nothing else."""
    stripped = text[start:end].lstrip()
    return (end - len(stripped), end) if stripped else (start, end)


@contextmanager
def as_value_error(reason: str) -> Iterator[None]:
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
    with as_value_error(f"{file.name} is no tokenizer"):
        return Tokenizer.from_file(str(file))


class SentenceTokenizer:
    """Splits text with a `tokenizer.json`; never pads, never truncates.

    With `add_special_tokens` the tokens are added that the file says a sentence has around it.
    Raises `ValueError` for a file that is no tokenizer.
    """

    def __init__(self, file: Path, *, add_special_tokens: bool = False) -> None:
        self._tokenizer = read_tokenizer(file)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.add_special_tokens = add_special_tokens
        self.sha256 = sha256(file.read_bytes()).hexdigest()
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown_id = None if unknown is None else self._tokenizer.token_to_id(unknown)
        # Others' words are parts of words, or whole sentences: see `word_ids_of_characters`.
        self._splits_into_words = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)

    def sentence(self, text: str) -> Sentence:
        """Tokenise any string, after `sanitise_text`.

        Raises `ValueError` if the tokenizer fails on it, which only a damaged one does.
        """
        clean = sanitise_text(text)
        encoding = self._encode(clean)
        return Sentence(clean, tuple(self._build_tokens(clean, encoding)))

    def _encode(self, text: str) -> Encoding:
        with as_value_error("the tokenizer cannot read this text"):
            return self._tokenizer.encode(text, add_special_tokens=self.add_special_tokens)

    def id_to_token(self, token_id: int) -> str:
        """The vocabulary's own spelling of a token: "##ing" continues a word."""
        return str(self._tokenizer.id_to_token(token_id))

    def decode_token(self, token_id: int) -> tuple[str, bool]:
        """A token of the vocabulary as text, and whether it only continues a word."""
        spelling = self.id_to_token(token_id)
        if isinstance(self._tokenizer.model, WordPiece):
            text = spelling.removeprefix("##")
            return text, text != spelling
        text = str(self._tokenizer.decode([token_id], skip_special_tokens=False)).strip()
        starts_a_word = spelling.startswith(WORD_START_MARKERS) or not text[:1].isalnum()
        return text or SPACE_SYMBOL, not starts_a_word

    @cached_property
    def vocabulary_size(self) -> int:
        """One more than the largest id that a token can have."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @cached_property
    def mask_token(self) -> str | None:
        """What stands for a hidden word, None if nothing does."""
        return next(
            (name for name in MASK_TOKENS if self._tokenizer.token_to_id(name) is not None), None
        )

    @cached_property
    def mask_token_id(self) -> int | None:
        return self._tokenizer.token_to_id(self.mask_token) if self.mask_token else None

    def same_tokens_as(self, other: "SentenceTokenizer") -> bool:
        """Whether both make the same tokens of every text."""
        return (self.sha256, self.add_special_tokens) == (other.sha256, other.add_special_tokens)

    def _build_tokens(self, text: str, encoding: Encoding) -> Iterator[Token]:
        spans = [without_leading_space(text, *span) for span in encoding.offsets]
        content = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        word_ids = dict(zip(content, self._word_ids(text, encoding, content, spans), strict=True))
        n_words = max(word_ids.values(), default=-1) + 1
        for index, (token_id, (start, end)) in enumerate(zip(encoding.ids, spans, strict=True)):
            if index in word_ids:
                known = token_id != self._unknown_id
                token_text = text[start:end] if text[start:end].strip() else SPACE_SYMBOL
                yield Token(token_id, token_text, start, end, word_ids[index], known)
            else:
                position = len(text) if content and index > content[0] else 0
                name = self.id_to_token(token_id)
                yield Token(token_id, name, position, position, n_words, known=True, special=True)
                n_words += 1

    def _word_ids(
        self,
        text: str,
        encoding: Encoding,
        content: Sequence[int],
        spans: Sequence[tuple[int, int]],
    ) -> Iterator[int]:
        """The word of each token of the learner's, counted from 0 without gaps. A token that is
        nothing but space belongs to the word that it stands before, as it would had the vocabulary
        a token for both.
        """
        contractions = [match.span() for match in _CONTRACTION.finditer(text)]
        contraction_starts = [begin for begin, _ in contractions]
        starts = [start for start, _ in spans]
        word_keys: Sequence[object] = encoding.word_ids
        if not self._splits_into_words:
            character_word_ids = [*word_ids_of_characters(text), -1]
            starts = [skip_spaces(text, start) for start in starts]
            word_keys = [character_word_ids[start] for start in starts]
        word, previous_key = -1, None
        for index in content:
            start = starts[index]
            nearest = bisect_right(contraction_starts, start) - 1
            word_key = (
                contractions[nearest]
                if nearest >= 0 and start < contractions[nearest][1]
                else word_keys[index]
            )
            word += word_key != previous_key
            previous_key = word_key
            yield word

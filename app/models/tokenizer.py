"""Split a sentence into tokens, and group the tokens into words."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from unicodedata import category

from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

# Characters that forms or HTML cannot contain.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")

# Tokenizers split "don't" into three words; readers see one. The look-behind and the possessive
# quantifiers keep the time linear in the length of a word.
_CONTRACTION = re.compile(r"(?<![^\W_])[^\W_]++(?:['’][^\W_]++)+")

_WHITESPACE = re.compile(r"\s*")

SPACE_SYMBOL = "␣"
"""Text of a token that contains only whitespace."""

WORD_START_MARKERS = ("Ġ", "▁")
"""The space before a token, as BPE and SentencePiece vocabularies write it."""

MAX_CACHED_SENTENCES, MAX_CACHED_LENGTH = 64, 1000
"""How many sentences of how many characters each tokenizer remembers: one edit reads the sentence
before and after it more than once.
"""

MASK_TOKENS = ("[MASK]", "<mask>")
"""Names of the mask token."""


@dataclass(frozen=True)
class Token:
    """A token: its id, and the characters `[start:end]` of the sentence that it covers.

    `word` is the index of its word. `known` is False for the unknown token. `special` is True if
    the tokenizer added the token, such as [CLS]; it covers no characters.
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
    """One or several tokens that form a word; a special token is a word of its own."""

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
    """A text and its tokens.

    Words of the text have lower indices than special tokens, so that the index of a word is the
    same for every model.
    """

    text: str
    tokens: tuple[Token, ...]

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @cached_property
    def is_blank(self) -> bool:
        """Whether there are only special tokens and whitespace."""
        return all(token.special or token.text == SPACE_SYMBOL for token in self.tokens)

    @cached_property
    def content_indices(self) -> list[int]:
        """Indices of the tokens that are not special."""
        return [i for i, token in enumerate(self.tokens) if not token.special]

    @property
    def n_special_tokens(self) -> int:
        return len(self.tokens) - len(self.content_indices)

    @cached_property
    def word_of(self) -> list[int]:
        """For each token the index of its word."""
        return [token.word for token in self.tokens]

    @cached_property
    def words(self) -> list[Word]:
        """Words by index: those of the text, then special tokens."""
        groups = groupby(self.tokens, key=lambda token: token.word)
        words = [self._build_word(index, tuple(pieces)) for index, pieces in groups]
        return sorted(words, key=lambda word: word.index)

    @cached_property
    def longest_word(self) -> int:
        """The index of the word with most letters and digits, the last of several.

        Special tokens do not count. A sentence that is not blank has at least one word.
        """
        words = self.content_words
        return max(words, key=lambda word: (sum(map(str.isalnum, word.text)), word.index)).index

    @cached_property
    def content_words(self) -> list[Word]:
        """Words of the text, without special tokens."""
        return [word for word in self.words if not word.is_special]

    def _build_word(self, index: int, pieces: tuple[Token, ...]) -> Word:
        text = self.text[pieces[0].start : pieces[-1].end].strip()
        return Word(index, pieces[0].text if pieces[0].special else text or SPACE_SYMBOL, pieces)

    def ordinal_if_repeated(self, word: int) -> int | None:
        """Return the position of a word from 1, or None if no other word has the same text."""
        return word + 1 if self.word_texts.count(self.word_texts[word]) > 1 else None

    @cached_property
    def word_texts(self) -> list[str]:
        """Text of each word, by index."""
        return [word.text for word in self.words]

    def truncated_text(self, max_tokens: int) -> str:
        """Return the text up to the last whole word within `max_tokens` tokens.

        Special tokens count. If the first word alone is too long, it is cut between characters.
        """
        if len(self.tokens) <= max_tokens:
            return self.text
        content = [self.tokens[index] for index in self.content_indices]
        n_content = max(1, max_tokens - self.n_special_tokens)
        if len(content) <= n_content:
            return self.text
        first_cut = content[n_content]
        whole_words = [token for token in content[:n_content] if token.word < first_cut.word]
        # Several byte tokens may form one character, which must not be cut.
        remaining = (
            whole_words
            or [token for token in content[:n_content] if token.end <= first_cut.start]
            or content[:1]
        )
        return self.text[: remaining[-1].end]


def sanitise_text(text: str) -> str:
    """Return the text without characters that pages and links cannot contain.

    Control characters and line breaks become spaces, unpaired surrogates "�".
    """
    valid = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", valid)


def is_punctuation(character: str) -> bool:
    """Return whether BERT's tokenizer treats it as punctuation: as Unicode, and ASCII symbols."""
    return category(character)[0] == "P" or character in "$+<=>^`|~"


IDEOGRAPH_RANGES = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
"""First and last code points of the ranges that BERT's tokenizer splits into characters."""


def is_single_character_word(character: str) -> bool:
    """Return whether BERT's tokenizer makes a word of every such character."""
    code = ord(character)
    return is_punctuation(character) or any(
        first <= code <= last for first, last in IDEOGRAPH_RANGES
    )


def word_ids_of_characters(text: str) -> list[int]:
    """Return for each character the index of its word, -1 for whitespace.

    Words are separated by whitespace; each punctuation character and ideograph is a word.
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
    """Return the index of the first non-whitespace character from `start` on, or the length."""
    spaces = _WHITESPACE.match(text, start)
    return spaces.end() if spaces else len(text)


def without_leading_space(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without leading whitespace, unless it contains nothing else."""
    stripped = text[start:end].lstrip()
    return (end - len(stripped), end) if stripped else (start, end)


@contextmanager
def as_value_error(reason: str) -> Iterator[None]:
    """Raise any error of the block as a `ValueError`.

    `tokenizers` has no error class, and a panic in Rust raises a `BaseException`, which would stop
    a server.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ValueError(f"{reason}: {error}") from error


def read_tokenizer(file: Path) -> Tokenizer:
    """Read a tokenizer.json. Raises `ValueError` if it is not valid."""
    with as_value_error(f"{file.name} is not a tokenizer"):
        return Tokenizer.from_file(str(file))


class SentenceTokenizer:
    """Splits text with a tokenizer.json, without padding and truncation.

    `add_special_tokens` adds those that the file defines for a single sentence. Raises `ValueError`
    if the file is not valid.
    """

    def __init__(self, file: Path, *, add_special_tokens: bool = False) -> None:
        self._tokenizer = read_tokenizer(file)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.add_special_tokens = add_special_tokens
        self.sha256 = sha256(file.read_bytes()).hexdigest()
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown_id = None if unknown is None else self._tokenizer.token_to_id(unknown)
        # Other pre-tokenizers split differently: then `word_ids_of_characters` defines words.
        self._splits_into_words = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)
        self._cached_split = lru_cache(MAX_CACHED_SENTENCES)(self._split)

    def sentence(self, text: str) -> Sentence:
        """Split any text, after `sanitise_text`.

        Raises `ValueError` if the tokenizer fails, which only a damaged one does.
        """
        clean = sanitise_text(text)
        is_short = len(clean) <= MAX_CACHED_LENGTH
        return self._cached_split(clean) if is_short else self._split(clean)

    def _split(self, text: str) -> Sentence:
        return Sentence(text, tuple(self._build_tokens(text, self._encode(text))))

    def _encode(self, text: str) -> Encoding:
        with as_value_error("the tokenizer cannot split this text"):
            return self._tokenizer.encode(text, add_special_tokens=self.add_special_tokens)

    def id_to_token(self, token_id: int) -> str:
        """Return a token as the vocabulary writes it, such as "##ing"."""
        return str(self._tokenizer.id_to_token(token_id))

    def decode_token(self, token_id: int) -> tuple[str, bool]:
        """Return a token as readable text, and whether it continues a word."""
        spelling = self.id_to_token(token_id)
        if isinstance(self._tokenizer.model, WordPiece):
            text = spelling.removeprefix("##")
            return text, text != spelling
        text = str(self._tokenizer.decode([token_id], skip_special_tokens=False)).strip()
        starts_a_word = spelling.startswith(WORD_START_MARKERS) or not text[:1].isalnum()
        return text or SPACE_SYMBOL, not starts_a_word

    @cached_property
    def vocabulary_size(self) -> int:
        """The largest token id plus 1, added tokens included."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @cached_property
    def mask_token(self) -> str | None:
        """The mask token, None if there is none."""
        return next(
            (name for name in MASK_TOKENS if self._tokenizer.token_to_id(name) is not None), None
        )

    @cached_property
    def mask_token_id(self) -> int | None:
        return self._tokenizer.token_to_id(self.mask_token) if self.mask_token else None

    def same_tokens_as(self, other: "SentenceTokenizer") -> bool:
        """Return whether both split every text into the same tokens."""
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
        """Yield the word index of each token in `content`, from 0 without gaps.

        A whitespace token belongs to the word after it.
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

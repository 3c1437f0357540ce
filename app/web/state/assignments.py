"""Assignments (a view with fixed parameters and a note, in a link) and receipts (the codes by
which learners prove what they answered). Both are signed; nothing is stored.
"""

import hmac
import json
import re
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Container, Mapping
from dataclasses import dataclass
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import parse_qsl, urlencode

MAX_NOTE_LENGTH, MAX_NAME_LENGTH = 600, 80
_RESULTS = re.compile(r"(?:[1-9][0-9]?[rwn]{2}){1,40}")
_RESULT = re.compile(r"([0-9]+)([rwn])([rwn])")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SEPARATOR = " · "
_ANONYMOUS = "–"
"""Replaces an empty name in a receipt."""
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
"""Characters that word processors substitute for the hyphens of a code."""


class InvalidAssignmentError(ValueError):
    """An assignment token is damaged, was changed, or was signed by another server."""


@dataclass(frozen=True)
class Assignment:
    """A view of the step at `path`; learners cannot change the parameters named in `fixed`.

    `query` lists every parameter and the version. Old links list only what differs from the
    step's defaults.
    """

    path: str
    query: str
    fixed: tuple[str, ...] = ()
    note: str = ""


ASSIGNMENT_PARAM = "task"
"""Query parameter: an assignment's token."""


@dataclass(frozen=True)
class RequestedAssignment:
    """Assignment named by a URL.

    `assignment` is None if the URL names none, or one of another step; `is_invalid` is true if its
    token cannot be verified.
    """

    token: str = ""
    assignment: Assignment | None = None
    is_invalid: bool = False

    @property
    def fixed(self) -> tuple[str, ...]:
        return self.assignment.fixed if self.assignment else ()

    @property
    def query_suffix(self) -> str:
        return f"&{urlencode({ASSIGNMENT_PARAM: self.token})}" if self.token else ""

    def apply_fixed(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return the query with the fixed parameters, and the version, as assigned."""
        if not self.assignment or not self.fixed:
            return dict(query)
        assigned = dict(parse_qsl(self.assignment.query))
        fixed = (*self.fixed, "v")
        free = {name: value for name, value in query.items() if name not in fixed}
        return free | {name: assigned[name] for name in fixed if name in assigned}


class Signer:
    """Signs and verifies by the server's secret; an empty secret signs and verifies nothing."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @property
    def is_enabled(self) -> bool:
        return bool(self._secret)

    def encode_assignment(self, assignment: Assignment) -> str:
        """Return an assignment as a token for a URL, with its signature if signing is enabled."""
        payload = [assignment.path, assignment.query, list(assignment.fixed), assignment.note]
        content = _base64(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
        return f"{content}.{self._signature('task', content)}" if self.is_enabled else content

    def requested_assignment(self, token: str, path: str) -> RequestedAssignment:
        """Return what a token assigns for the step at `path`."""
        if not token:
            return RequestedAssignment()
        try:
            assignment = self.decode_assignment(token)
        except InvalidAssignmentError:
            return RequestedAssignment(token, is_invalid=True)
        return RequestedAssignment(token, assignment if assignment.path == path else None)

    def decode_assignment(self, token: str) -> Assignment:
        """Decode a token.

        Raises `InvalidAssignmentError` if it is damaged, or its signature wrong or missing.
        """
        content, _, signature = token.partition(".")
        if self.is_enabled and not _equal_in_constant_time(
            signature, self._signature("task", content)
        ):
            raise InvalidAssignmentError(token)
        try:
            path, query, fixed, note = json.loads(_unbase64(content))
            assignment = Assignment(path, query, tuple(fixed), note)
        except (ValueError, TypeError, RecursionError, Base64Error) as error:
            raise InvalidAssignmentError(token) from error
        texts = (assignment.path, assignment.query, assignment.note, *assignment.fixed)
        if not all(map(_is_encodable, texts)):
            raise InvalidAssignmentError(token)
        return assignment

    def make_receipt(self, lesson: str, results: str, name: str, steps: Container[int]) -> str:
        """Return a line with the results and a code that only this server can compute.

        `results` has for each step its number, one of `steps`, and two letters, for prediction and
        check: r(ight), w(rong) or n(ot given), as in "1rr2wn". Raises `ValueError` if `results` is
        malformed or the name too long.
        """
        _check_results(results, steps)
        # NFC turns the Greek ano teleia (U+0387) into the separator's dot.
        name = _collapse_whitespace(normalize("NFC", name).replace("·", " "))
        if len(name) > MAX_NAME_LENGTH:
            raise ValueError(f"a name has at most {MAX_NAME_LENGTH} letters")
        name = name or _ANONYMOUS
        return _SEPARATOR.join((lesson, results, name, self._receipt_code(lesson, results, name)))

    def verify_receipt(self, line: str) -> "Receipt":
        """Parse a line, and check whether this server made it."""
        parts = [
            _collapse_whitespace(part) for part in normalize("NFC", line).split(_SEPARATOR.strip())
        ]
        if len(parts) != 4 or not _RESULTS.fullmatch(parts[1]):
            return Receipt(line, "", "", False)
        lesson, results, name, code = parts
        expected_code = self._receipt_code(lesson, results, name)
        is_ours = self.is_enabled and _equal_in_constant_time(
            code.translate(_HYPHENS), expected_code
        )
        return Receipt(lesson, results, name, is_ours)

    def _receipt_code(self, lesson: str, results: str, name: str) -> str:
        name = "" if name == _ANONYMOUS else name
        digest = self._digest("receipt", "\n".join((lesson, results, name)))
        letters = b32encode(digest)[:12].decode()
        return "-".join((letters[:4], letters[4:8], letters[8:]))

    def _signature(self, kind: str, content: str) -> str:
        return _base64(self._digest(kind, content)[:16])

    def _digest(self, kind: str, content: str) -> bytes:
        return hmac.digest(
            self._secret, f"{kind}\n{content}".encode(errors="surrogatepass"), sha256
        )


@dataclass(frozen=True)
class Receipt:
    """A submitted line; `lesson` is the whole line if it is malformed."""

    lesson: str
    results: str
    name: str
    is_valid: bool

    @property
    def steps(self) -> list[tuple[int, str, str]]:
        """(step, prediction, check); the latter two are "right", "not right" or "not given"."""
        outcomes = {"r": "right", "w": "not right", "n": "not given"}
        return [(int(n), outcomes[p], outcomes[c]) for n, p, c in _RESULT.findall(self.results)]

    @property
    def n_right(self) -> tuple[int, int]:
        """(right predictions, right checks)."""
        predictions = sum(predicted == "right" for _, predicted, _ in self.steps)
        return predictions, sum(checked == "right" for _, _, checked in self.steps)


def _check_results(results: str, steps: Container[int]) -> None:
    """Raise `ValueError` for results that a lesson with these steps cannot give."""
    if not _RESULTS.fullmatch(results):
        raise ValueError("these are no results")
    seen: set[int] = set()
    for step in (int(number) for number, _, _ in _RESULT.findall(results)):
        if step not in steps:
            raise ValueError(f"this lesson has no step {step}")
        if step in seen:
            raise ValueError(f"step {step} is there twice")
        seen.add(step)


def _collapse_whitespace(part: str) -> str:
    return " ".join(part.split())


def _equal_in_constant_time(given: str, expected: str) -> bool:
    """Compare in constant time; as bytes, since `compare_digest` accepts only ASCII text."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def _is_encodable(value: object) -> bool:
    """Return whether a value can be encoded in UTF-8: JSON can contain lone surrogates."""
    return isinstance(value, str) and not _SURROGATES.search(value)


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

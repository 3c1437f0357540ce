"""Assignments: a view with some of its controls fixed and a note, all of it in a link; and the
codes by which a class shows that it has been through a lesson. Nothing is stored.
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
"""Stands in a line for a name; whoever is called so has none."""
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
"""What word processors make of the hyphens in a code."""


class InvalidAssignmentError(ValueError):
    """An assignment that is damaged, was changed after it was made, or made by another server."""


@dataclass(frozen=True)
class Assignment:
    """`query` is the view of the step at `path`, with nothing left unsaid; `fixed` names what of it
    a learner cannot change. The first links said in `query` only what was not the step's own.
    """

    path: str
    query: str
    fixed: tuple[str, ...] = ()
    note: str = ""


ASSIGNMENT_PARAM = "task"
"""In an address: an assignment."""


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
    """Signs by the server's secret; with an empty one nothing is signed, and nothing verified."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @property
    def is_enabled(self) -> bool:
        return bool(self._secret)

    def encode_assignment(self, assignment: Assignment) -> str:
        """An assignment as a value for an address, its signature at the end if there is one."""
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
        """Raises `ChangedError`, also for one without a signature where this server signs."""
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
        """A line that tells what was answered, with a code that only this server can make.

        `results` has for each step its number, which is one of `steps`, and two letters: prediction
        and check, right, wrong or not given. Raises `ValueError` if it is none of that kind, or the
        name is too long.
        """
        _check_results(results, steps)
        # The Greek dot is ours once it is normalised.
        name = _collapse_whitespace(normalize("NFC", name).replace("·", " "))
        if len(name) > MAX_NAME_LENGTH:
            raise ValueError(f"a name has at most {MAX_NAME_LENGTH} letters")
        name = name or _ANONYMOUS
        return _SEPARATOR.join((lesson, results, name, self._receipt_code(lesson, results, name)))

    def verify_receipt(self, line: str) -> "Receipt":
        """What a line says, and whether this server made it."""
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
    """A line that was handed in; `lesson` is the whole line if it cannot be read."""

    lesson: str
    results: str
    name: str
    is_valid: bool

    @property
    def steps(self) -> list[tuple[int, str, str]]:
        """(step, prediction, check), each of the latter right, wrong or not given."""
        outcomes = {"r": "right", "w": "not right", "n": "not given"}
        return [(int(n), outcomes[p], outcomes[c]) for n, p, c in _RESULT.findall(self.results)]

    @property
    def n_right(self) -> tuple[int, int]:
        """How many predictions and how many checks were right."""
        predictions = sum(predicted == "right" for _, predicted, _ in self.steps)
        return predictions, sum(checked == "right" for _, _, checked in self.steps)


def _check_results(results: str, steps: Container[int]) -> None:
    """Raises `ValueError` for what no lesson of these steps gives."""
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
    """Takes as long whatever of it is wrong; bytes, since text must be ASCII."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def _is_encodable(value: object) -> bool:
    """Whether a page can hold it: JSON has halves of letters, too."""
    return isinstance(value, str) and not _SURROGATES.search(value)


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""The terms that texts explain: `glossary.toml` in a lesson's folder, `[nats](term:nats)`."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter

from app.lesson.markdown import TERM_PREFIX, links
from app.lesson.schema import GlossaryEntry

GLOSSARY_FILE = "glossary.toml"

Glossary = dict[
    Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")], GlossaryEntry
]
"""Definitions by their ids, which links name."""

GLOSSARY_ADAPTER: TypeAdapter[Glossary] = TypeAdapter(Glossary)


def terms_in(text: str) -> Iterator[str]:
    """Yield the ids of the terms that a text links to."""
    for link in links(text):
        if link.href.startswith(TERM_PREFIX):
            yield link.href.removeprefix(TERM_PREFIX)


def terms_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the terms in several texts, each once, in the order of reading."""
    return tuple(dict.fromkeys(term for text in texts for term in terms_in(text)))

"""HTML with gaps that are filled for each view: placeholders, and links that change the lab."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from urllib.parse import parse_qsl, urlencode

_GAP = re.compile(r'\{(\w+)\}|<a data-act="([^"]*)">(.*?)</a>', re.DOTALL)

LinkOf = Callable[[Mapping[str, str]], str | None]
"""From changed query parameters to the URL of the changed view, None if that makes no sense."""


def no_link(_: Mapping[str, str]) -> None:
    """Return None: links that change the lab become plain text."""


@dataclass(frozen=True)
class Placeholder:
    """The place of a value, in the source `{name}`."""

    name: str


@dataclass(frozen=True)
class ActingLink:
    """A link that changes parameters of the view, in the source `[label](?causal=1)`."""

    params: tuple[tuple[str, str], ...]
    label: "LiveHtml"


@dataclass(frozen=True)
class LiveHtml:
    """HTML as fixed parts and gaps, in order."""

    parts: tuple[str | Placeholder | ActingLink, ...]

    @staticmethod
    def parse(html: str) -> "LiveHtml":
        """Split rendered Markdown at its gaps."""
        return LiveHtml(tuple(_parts(html)))

    @property
    def has_gaps(self) -> bool:
        return any(not isinstance(part, str) for part in self.parts)

    @cached_property
    def acting_links(self) -> tuple[ActingLink, ...]:
        return tuple(part for part in self.parts if isinstance(part, ActingLink))

    def render(
        self, values: Mapping[str, str], link_of: LinkOf = no_link, id_prefix: str = "act"
    ) -> str:
        """Return the HTML for one view.

        Values are escaped, and isolated by `<bdi>`, so that text typed by a learner is never read
        as HTML and its writing direction does not affect the text around it. A link whose `link_of`
        is None is plain text. The ids of links, `id_prefix` and a number, are the same for every
        view, so that a link keeps the focus while its text is exchanged.
        """
        pieces: list[str] = []
        n_links = 0
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
            elif isinstance(part, Placeholder):
                pieces.append(f"<bdi>{escape(values[part.name])}</bdi>")
            else:
                label = part.label.render(values)
                link_id = f"{id_prefix}-{n_links}"
                n_links += 1
                url = link_of(dict(part.params))
                pieces.append(label if url is None else _acting_link(link_id, url, part, label))
        return "".join(pieces)


def _acting_link(link_id: str, url: str, link: ActingLink, label: str) -> str:
    """Return a link to the changed view; a script changes the same parameters in the lab's form."""
    params = urlencode(link.params)
    return (
        f'<a id="{link_id}" class="act" href="{escape(url)}"'
        f' data-act="{escape(params)}">{label}</a>'
    )


def _parts(html: str) -> Iterator[str | Placeholder | ActingLink]:
    position = 0
    for gap in _GAP.finditer(html):
        if gap.start() > position:
            yield html[position : gap.start()]
        name, query, label = gap.groups()
        if name is not None:
            yield Placeholder(name)
        else:
            yield ActingLink(acting_params(query.replace("&amp;", "&")), LiveHtml.parse(label))
        position = gap.end()
    if position < len(html):
        yield html[position:]


def acting_params(query: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters that a link's query, without its "?", changes."""
    return tuple(parse_qsl(query, keep_blank_values=True))

"""Pages parsed into elements, and forms filled in and sent as a browser would."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urlencode

VOID_TAGS = frozenset(["br", "hr", "img", "input", "link", "meta", "wbr"])


@dataclass
class Element:
    """An element with its attributes, its content and its own part of the page's source.

    An attribute without a value, such as `hidden`, has the value "".
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "Element | None" = field(default=None, repr=False)
    content: list["Element | str"] = field(default_factory=list, repr=False)
    source: str = field(default="", repr=False)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    def get(self, name: str, default: str | None = None) -> str | None:
        return self.attributes.get(name, default)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def ancestors(self) -> Iterator["Element"]:
        """The elements around this one, the closest first."""
        element = self.parent
        while element is not None:
            yield element
            element = element.parent

    @property
    def descendants(self) -> Iterator["Element"]:
        """The elements inside this one, in the order of their start tags."""
        for each in self.content:
            if isinstance(each, Element):
                yield each
                yield from each.descendants

    @property
    def raw_text(self) -> str:
        """All text inside, with its white space."""
        return "".join(
            each.raw_text if isinstance(each, Element) else each for each in self.content
        )

    @property
    def text(self) -> str:
        """All text inside, each run of white space as one space."""
        return " ".join(self.raw_text.split())

    def find_all(self, selector: str) -> list["Element"]:
        """Return the elements inside that match a CSS selector of tags, #ids, .classes,
        [attributes], [attribute=value], `:not(…)` of these, descendants and commas.
        """
        alternatives = _parsed(selector)
        return [
            each
            for each in self.descendants
            if any(_matches(each, path, root=self) for path in alternatives)
        ]

    def find(self, selector: str) -> "Element":
        """Return the only element inside that matches."""
        found = self.find_all(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}, not one"
        return found[0]

    def has(self, selector: str) -> bool:
        """Whether any element inside matches."""
        return bool(self.find_all(selector))


class _TreeBuilder(HTMLParser):
    """Builds the tree, and fails if a tag is closed that was not the last to open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = self._open = Element("", source=html)
        self._html = html
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", html))]
        self._starts: list[int] = []
        self.feed(html)
        self.close()
        assert self._open is self.root, f"<{self._open.tag}> is never closed"

    def _position(self) -> int:
        line, column = self.getpos()
        return self._line_starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.content.append(element)
        if tag in VOID_TAGS:
            element.source = self.get_starttag_text()
        else:
            self._open = element
            self._starts.append(self._position())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.content.append(
            Element(
                tag,
                {name: value or "" for name, value in attrs},
                self._open,
                source=self.get_starttag_text(),
            )
        )

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.tag, f"</{tag}> closes <{self._open.tag}> on {self.getpos()}"
        end = self._html.index(">", self._position()) + 1
        self._open.source = self._html[self._starts.pop() : end]
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        self._open.content.append(data)


def parse_html(html: str) -> Element:
    """Return the page or fragment as a root element without a tag."""
    return _TreeBuilder(html).root


@dataclass(frozen=True)
class _Compound:
    """What one element must be: `tag#id.class[name=value]:not(…)`."""

    tag: str
    classes: tuple[str, ...]
    attributes: tuple[tuple[str, str | None], ...]
    excluded: tuple["_Compound", ...]

    def matches(self, element: Element) -> bool:
        return (
            self.tag in ("", "*", element.tag)
            and set(self.classes) <= set(element.classes)
            and all(
                name in element and value in (None, element[name])
                for name, value in self.attributes
            )
            and not any(each.matches(element) for each in self.excluded)
        )


_SIMPLE = re.compile(
    r"(?P<tag>^[\w*-]+)|#(?P<id>[\w.-]+)|\.(?P<cls>[\w-]+)"
    r"|\[(?P<name>[\w:-]+)(?:=\"?(?P<value>[^\]\"]*)\"?)?\]|:not\((?P<no>[^)]*)\)"
)


def _compound(text: str) -> _Compound:
    parts = list(_SIMPLE.finditer(text))
    assert "".join(part[0] for part in parts) == text, f"not a selector: {text}"
    attributes = [("id", part["id"]) for part in parts if part["id"]]
    attributes += [(part["name"], part["value"]) for part in parts if part["name"]]
    return _Compound(
        next((part["tag"] for part in parts if part["tag"]), ""),
        tuple(part["cls"] for part in parts if part["cls"]),
        tuple(attributes),
        tuple(_compound(part["no"]) for part in parts if part["no"]),
    )


@cache
def _parsed(selector: str) -> list[list[_Compound]]:
    """The alternatives, each a path of compounds from the outermost to the element itself."""
    pieces = r"(?:\[[^\]]*\]|:not\([^)]*\)|[^\s,\[:])+"
    return [
        [_compound(compound) for compound in re.findall(pieces, path)]
        for path in re.findall(r"(?:\[[^\]]*\]|[^,\[])+", selector)
    ]


def _matches(element: Element, path: list[_Compound], root: Element) -> bool:
    """Whether the element matches the path's end and ancestors inside `root` match the rest."""
    *outer, last = path
    if not last.matches(element):
        return False
    for ancestor in element.ancestors:
        if not outer or ancestor is root:
            break
        if outer[-1].matches(ancestor):
            outer.pop()
    return not outer


def form_values(
    page: Element, form_id: str, button: Element | None = None, **typed: str
) -> list[tuple[str, str]]:
    """Return the names and values that a browser sends when `button` submits the form.

    `typed` is what is typed, ticked or selected before, by the field's name. A disabled control and
    a button that is not pressed send nothing, and one without a name sends nothing either.
    """
    form = page.find(f"form#{form_id}")
    controls = [
        each
        for each in page.find_all("input, select, textarea, button")
        if each.get("form", form_id if form in each.ancestors else None) == form_id
        and each.get("name")
        and "disabled" not in each
        and not any("disabled" in around for around in each.ancestors if around.tag == "fieldset")
    ]
    unknown = set(typed) - {control["name"] for control in controls}
    assert not unknown, f"the form has no field {', '.join(sorted(unknown))}"
    assert button is None or button in controls, "the button does not submit this form"
    sent = [
        (control["name"], _sent_value(control, control is button, typed.get(control["name"])))
        for control in controls
    ]
    return [(name, value) for name, value in sent if value is not None]


def _sent_value(control: Element, is_pressed: bool, typed: str | None) -> str | None:
    """What a control sends; None if it sends nothing."""
    kind = control.get("type", "text") if control.tag == "input" else control.tag
    value = control.raw_text if kind == "textarea" else control.get("value", "")
    if kind in ("button", "submit"):
        return value if is_pressed else None
    if kind == "select":
        return _selected_value(control, typed)
    if kind in ("checkbox", "radio"):
        is_on = "checked" in control if typed is None else typed == value
        return value if is_on else None
    if typed is None:
        return value
    assert kind != "hidden", f"{control['name']} is hidden"
    assert "readonly" not in control, f"{control['name']} cannot be changed"
    return typed


def _selected_value(select: Element, chosen: str | None) -> str:
    options = select.find_all("option:not([disabled])")
    values = {option.get("value", option.text): "selected" in option for option in options}
    assert chosen is None or chosen in values, f"{chosen} is not an option of {select['name']}"
    selected = [value for value, is_selected in values.items() if is_selected]
    return chosen or next(iter(selected or values))


def submission_url(page: Element, form_id: str, button: str | None = None, **typed: str) -> str:
    """Return the address that a browser opens when the form of method GET is submitted.

    `button` is a selector of the button that is pressed; None submits with Enter, which presses the
    form's first button.
    """
    form = page.find(f"form#{form_id}")
    assert form.get("method", "get").lower() == "get"
    if button is None:
        first = next(
            each
            for each in page.find_all("button:not([type=button]), input[type=submit]")
            if each.get("form", form_id if form in each.ancestors else None) == form_id
            and "disabled" not in each
        )
        pressed = first if first.get("name") else None
    else:
        pressed = page.find(button)
    return f"{form['action']}?{urlencode(form_values(page, form_id, pressed, **typed))}"

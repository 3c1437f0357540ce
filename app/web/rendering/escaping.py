"""Escaping with fewer steps for what cannot need it: most of what fills a kept part is a number, a
plain word, or HTML already.
"""

from typing import Any

from markupsafe import Markup, escape


def escaped(value: Any) -> str:  # noqa: ANN401
    """As `markupsafe.escape`; safe to put into HTML, but not marked so."""
    kind = type(value)
    if kind is Markup or (kind is str and value.isalnum()):
        unchanged: str = value
        return unchanged
    return str(value) if kind is int else escape(value)

"""Jinja2 with escaping always on, undefined names as errors, and addresses of static files."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.lesson.directives import filled, inline
from app.picture import ink, number, plain
from app.picture.plot import signed
from app.settings import site_folder

_inline = cache(inline)


def authored(markdown: str, values: dict[str, str] | None = None) -> Markup:
    """A lesson's own phrase as HTML, with learners' words put in escaped."""
    return Markup(filled(_inline(markdown), values or {}))  # noqa: S704


def environment(static_path: str) -> Environment:
    """`static_path` is where the folder `static/` is served."""
    jinja = Environment(
        loader=FileSystemLoader(site_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["authored"] = authored
    jinja.filters["weight"] = plain
    jinja.filters["signed"] = signed
    jinja.filters["ink"] = ink
    jinja.filters["number"] = number
    jinja.globals["static"] = lambda name: f"{static_path}/{name}"
    return jinja

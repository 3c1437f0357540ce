"""Jinja2 with escaping always on, undefined names as errors, and addresses of static files."""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.lesson.directives import filled, inline
from app.picture import ink, number, plain
from app.picture.plot import signed
from app.settings import site_folder

_inline = cache(inline)


def authored(markdown: str, values: dict[str, str] | None = None) -> Markup:
    """A lesson's own phrase as HTML, with learners' words put in escaped."""
    return Markup(filled(_inline(markdown), values or {}))  # noqa: S704


def origin_of(request: Request) -> str:
    """Scheme and host by which this server was asked."""
    return str(request.base_url).rstrip("/")


@dataclass(frozen=True)
class Pages:
    """Templates filled in, as answers."""

    jinja: Environment

    def response(
        self,
        request: Request,
        template: str,
        context: dict[str, object] | None = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> HTMLResponse:
        """`origin` is what a template may put before an address that others are to follow."""
        shared = {"origin": origin_of(request)}
        page = self.jinja.get_template(template).render(shared | (context or {}))
        return HTMLResponse(page, status, headers)


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

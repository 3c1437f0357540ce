"""Jinja2 with escaping always on, undefined names as errors, and addresses of static files."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.lesson.markdown import fill_html, render_inline
from app.picture import format_number, format_signed, format_weight, text_class
from app.settings import site_folder
from app.web.rendering.buttons import cell_buttons, word_buttons
from app.web.rendering.escaping import escaped
from app.web.rendering.head_partial import heads_by
from app.web.state.links import origin_of, path_of

_cached_inline = cache(render_inline)

KEPT_PARTS = 512


def inline_markdown(markdown: str, values: dict[str, str] | None = None) -> Markup:
    """A lesson's own phrase as HTML, with learners' words put in escaped."""
    return Markup(fill_html(_cached_inline(markdown), values or {}))  # noqa: S704


@dataclass(frozen=True)
class Templates:
    """Templates filled in, as answers."""

    env: Environment

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
        shared_context = {"origin": origin_of(request)}
        html = self.env.get_template(template).render(shared_context | (context or {}))
        return HTMLResponse(html, status, headers)


def parts_kept(jinja: Environment) -> Callable[..., Markup]:
    """A function for templates that fills in a part, the macro `content` of a file, and keeps what
    came out for as long as it is asked for with the same values.

    A macro sees nothing but its values, so equal values are the same part; values must be hashable.
    Those given by name are another each time: the part is kept with blanks for them, which are
    filled in afterwards, escaped as ever. The macro can print them, and nothing else.
    """

    @lru_cache(KEPT_PARTS, typed=True)
    def form(template: str, blanks: tuple[str, ...], *values: object) -> str:
        content: Macro = vars(jinja.get_template(template).module)["content"]
        part = content(*values, **{name: _blank(name) for name in blanks}).replace("%", "%%")
        for name in blanks:
            part = part.replace(_blank(name), f"%({name})s")
        return str(part)

    def part(template: str, *values: object, **blanks: object) -> Markup:
        filled_in = {name: escaped(value) for name, value in blanks.items()}
        return Markup(form(template, tuple(blanks), *values) % filled_in)  # noqa: S704

    return part


def _blank(name: str) -> str:
    """What stands for a value that is yet to come: of signs that nobody's text has."""
    return f"\ufdd0{name}\ufdd1"


def create_environment(static_url: str) -> Environment:
    """`static_path` is where the folder `static/` is served."""
    env = Environment(
        loader=FileSystemLoader(site_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["inline_markdown"] = inline_markdown
    env.filters["weight"] = format_weight
    env.filters["signed"] = format_signed
    env.filters["text_class"] = text_class
    env.filters["number"] = format_number
    kept = env.globals["kept"] = parts_kept(env)
    env.globals["head"] = heads_by(kept)
    env.globals["word_buttons"] = word_buttons
    env.globals["cell_buttons"] = cell_buttons
    env.globals["path_of"] = path_of
    env.globals["static"] = lambda name: f"{static_url}/{name}"
    return env

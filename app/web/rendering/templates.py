"""The Jinja environment: values are always escaped, undefined names are errors."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import Macro
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.lesson.live_html import LinkOf, LiveHtml, no_link
from app.lesson.markdown import render_inline
from app.picture import format_number, format_signed, format_weight, text_class
from app.settings import site_folder
from app.web.rendering.buttons import cell_buttons, word_buttons
from app.web.rendering.heads import head_map, head_row, meta_line, top_word_text
from app.web.rendering.links import file_links, step_links
from app.web.state.links import origin_of, path_of

MAX_CACHED_PARTIALS = 512


@cache
def _cached_inline(markdown: str) -> LiveHtml:
    return LiveHtml.parse(render_inline(markdown))


def inline_markdown(
    markdown: str,
    values: Mapping[str, str] | None = None,
    link_of: LinkOf = no_link,
    id_prefix: str = "act",
) -> Markup:
    """Render a phrase of a lesson; `values` fill its placeholders, escaped.

    Links that change the view have ids with `id_prefix`, and are plain text without a `link_of`.
    """
    return Markup(_cached_inline(markdown).render(values or {}, link_of, id_prefix))  # noqa: S704


@dataclass(frozen=True)
class Templates:
    """The templates, rendered to responses."""

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
        """Render a template. It also gets `origin`, for URLs that others will open."""
        shared_context = {"origin": origin_of(request)}
        html = self.env.get_template(template).render(shared_context | (context or {}))
        return HTMLResponse(html, status, headers)


def partial_cache(env: Environment) -> Callable[..., Markup]:
    """Return a template global that renders macro `content` of a file and caches the result.

    The macro's arguments are the cache key: they are positional, hashable, and all that it sees.
    """

    @lru_cache(MAX_CACHED_PARTIALS, typed=True)
    def cached_partial(template: str, *arguments: Hashable) -> Markup:
        content: Macro = vars(env.get_template(template).module)["content"]
        return Markup(content(*arguments))  # noqa: S704

    return cached_partial


class FixedEnvironment(Environment):
    """An environment whose templates never change: each is looked up once for all includes."""

    @cached_property
    def _found(self) -> dict[object, Template]:
        return {}

    def get_template(self, name: str | Template, *_: object) -> Template:
        if name not in self._found:
            self._found[name] = super().get_template(name)
        return self._found[name]


def create_environment(static_url: str) -> Environment:
    """Create the environment; `static_url` is where the folder `static/` is served."""
    env = FixedEnvironment(
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
    env.globals["cached_partial"] = partial_cache(env)
    env.globals["head_map"] = head_map
    env.globals["head_row"] = head_row
    env.globals["meta_line"] = meta_line
    env.globals["top_word_text"] = top_word_text
    env.globals["word_buttons"] = word_buttons
    env.globals["cell_buttons"] = cell_buttons
    env.globals["step_links"] = step_links
    env.globals["file_links"] = file_links
    env.globals["path_of"] = path_of
    env.globals["static"] = lambda name: f"{static_url}/{name}"
    return env

"""The application: settings, models, lessons, middleware and routes put together."""

import logging

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from app import __version__
from app.evaluation.registry import EvaluatedRegistry, load_evidence
from app.exports.figure import FigureRenderer
from app.lesson import load_lessons
from app.models import load_builtin_models
from app.models.checkpoints import read_checkpoints
from app.models.forward_cache import ForwardCache
from app.settings import Settings, site_folder
from app.web.context import AppContext
from app.web.errors import ErrorPages
from app.web.middleware.access_log import strip_queries_from_access_log
from app.web.middleware.conditional_get import ConditionalGetMiddleware
from app.web.middleware.error_pages import ErrorPageMiddleware
from app.web.middleware.etag import ETagMiddleware
from app.web.middleware.head import HeadMiddleware
from app.web.middleware.request_limits import RequestLimitsMiddleware
from app.web.middleware.response_cache import ResponseCacheMiddleware
from app.web.middleware.security_headers import SecurityHeadersMiddleware
from app.web.rate_limit import rate_limiter
from app.web.rendering.templates import Templates, create_environment
from app.web.routes import (
    api,
    api_docs,
    api_labs,
    assign,
    health,
    home,
    lesson,
    models,
    oembed,
    step,
    step_files,
)
from app.web.state.assignments import Signer
from app.web.static_files import URL_PREFIX, VersionedStaticFiles, static_url

logger = logging.getLogger("headwise")

ROUTERS = (
    health.router,
    home.router,
    lesson.router,
    step.router,
    api.router,
    api_labs.router,
    oembed.router,
    api_docs.router,
    models.router,
    assign.router,
    step_files.router,
)
"""In the order of matching: what is requested most comes first, paths that begin with a parameter
last.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application; `settings` default to the environment.

    Raises `BrokenModelError` if a shipped model is damaged. A checkpoint or a lesson step that
    cannot be read is logged and left out.
    """
    settings = settings or Settings()
    context = build_context(settings, build_registry(settings))
    errors = ErrorPages(context.templates)
    strip_queries_from_access_log()
    app = FastAPI(
        title="Headwise",
        version=__version__,
        summary="Attention weights of trained heads on any sentence.",
        docs_url=None,
        redoc_url=None,
        middleware=build_middleware(settings, errors),
        exception_handlers=errors.handlers,
        # Spans would carry the query, and with it what learners type.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.mount(URL_PREFIX, VersionedStaticFiles(site_folder("static")))
    for router in ROUTERS:
        # `include_router` would wrap every route, at 20 µs a request.
        app.router.routes += router(context).routes
    return app


def build_registry(settings: Settings) -> EvaluatedRegistry:
    """Load the shipped models, the checkpoints and the evidence of both.

    All models share half of the cache memory.
    """
    forward_cache = ForwardCache(settings.cache_megabytes * 1_000_000 // 2)
    builtin = load_builtin_models(forward_cache=forward_cache)
    checkpoints = read_checkpoints(settings.checkpoints, builtin.ids, forward_cache)
    registry, errors = load_evidence(builtin.with_checkpoints(checkpoints.models))
    for error in (*checkpoints.errors, *errors):
        logger.error("Left out: %s", error)
    return registry


def build_context(settings: Settings, registry: EvaluatedRegistry) -> AppContext:
    """Load what the routes share."""
    static = site_folder("static")
    library = load_lessons(settings.lessons, registry)
    for issue in library.issues:
        logger.error("%s", issue)
    return AppContext(
        lessons=library.lessons,
        models=registry,
        templates=Templates(create_environment(static_url(static))),
        figure_renderer=FigureRenderer.from_static_folder(static),
        signer=Signer(settings.secret.get_secret_value()),
        check_rate_limit=rate_limiter(settings.api_per_minute),
        may_be_embedded=bool(settings.embed_origins),
    )


def build_middleware(settings: Settings, errors: ErrorPages) -> list[Middleware]:
    """List the middleware, outermost first.

    Middleware outside the response cache runs for cached responses too.
    """
    cors = Middleware(
        CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET", "HEAD"]
    )
    return [
        Middleware(SecurityHeadersMiddleware, settings.embed_origins),
        Middleware(HeadMiddleware),
        Middleware(ErrorPageMiddleware, errors.response),
        Middleware(RequestLimitsMiddleware, settings.max_query_bytes, settings.max_body_bytes),
        Middleware(ConditionalGetMiddleware),
        Middleware(ResponseCacheMiddleware, settings.cache_megabytes * 1_000_000 // 2),
        *([cors] if settings.cors_origins else []),
        Middleware(GZipMiddleware, compresslevel=4),
        Middleware(ETagMiddleware),
    ]

"""The application: `uvicorn app.main:app`."""

import gc
import logging
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from app import __version__
from app.evaluation.two_neighbour_task import read_two_neighbours
from app.exports.figure import FigureRenderer
from app.lesson import load_lessons
from app.models import Registry, load_builtin_models
from app.models.checkpoints import read_checkpoints
from app.models.forward_cache import ForwardCache
from app.settings import Settings, site_folder
from app.web.context import AppContext
from app.web.errors import ErrorHandlers
from app.web.middleware.conditional_get import (
    NO_STORE,
    ConditionalGetMiddleware,
    ETagMiddleware,
    HeadMiddleware,
)
from app.web.middleware.response_cache import ResponseCacheMiddleware
from app.web.middleware.security_headers import SecurityMiddleware, strip_queries_from_access_log
from app.web.rate_limit import rate_limiter
from app.web.rendering.templates import Templates, create_environment
from app.web.routes import api, api_docs, api_labs, assign, lesson, oembed, step_files
from app.web.routes import models as models_page
from app.web.schemas import ErrorOut
from app.web.state.assignments import Signer
from app.web.static_files import URL_PREFIX, VersionedStaticFiles, static_url

logger = logging.getLogger("headwise")

DEFAULT_MODEL = "headwise-h4"


def build_registry(settings: Settings) -> Registry:
    """The shipped models, and the checkpoints that can be read; why one cannot is logged.

    Raises `BrokenModelError` for a shipped model that is damaged.
    """
    forward_cache = ForwardCache(settings.cache_megabytes * 1_000_000 // 2)
    builtin = load_builtin_models(forward_cache=forward_cache)
    checkpoints = read_checkpoints(settings.checkpoints, builtin.ids, forward_cache)
    for error in checkpoints.errors:
        logger.error("Left out: %s", error)
    return builtin.with_checkpoints(checkpoints.models)


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Wires the parts. Raises `BrokenModelError` rather than start on a damaged model; a step with
    a mistake is left out, and the mistake logged.
    """
    settings = settings or Settings()
    models = build_registry(settings)
    static = site_folder("static")
    templates = Templates(create_environment(static_url(static)))
    errors = ErrorHandlers(templates)
    library = load_lessons(settings.lessons, models)
    for problem in library.issues:
        logger.error("%s", problem)
    signer = Signer(settings.secret.get_secret_value())
    may_be_embedded = bool(settings.embed_origins)
    context = AppContext(
        library.lessons,
        models,
        templates,
        FigureRenderer.from_static_folder(static),
        signer,
        may_be_embedded,
    )

    app = FastAPI(
        title="Headwise",
        version=__version__,
        summary="Attention weights of trained heads on any sentence.",
        docs_url=None,
        redoc_url=None,
        # Spans would carry the query, and with it what learners type.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.add_middleware(ETagMiddleware)
    app.add_middleware(GZipMiddleware, compresslevel=4)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET", "HEAD"]
        )
    errors.register(app)

    @app.get("/healthz", response_class=PlainTextResponse, tags=["service"])
    async def healthz() -> PlainTextResponse:
        """Answers “ok” once lessons and models are loaded."""
        return PlainTextResponse("ok", headers={"Cache-Control": NO_STORE})

    app.mount(URL_PREFIX, VersionedStaticFiles(static))
    # What is asked for most stands first.
    app.router.routes += lesson.routes(context)
    check_rate = rate_limiter(settings.api_per_minute)
    limited: dict[str, Any] = {
        "dependencies": [Depends(check_rate)],
        "responses": {429: {"model": ErrorOut, "description": "Too many requests in a minute"}},
    }
    app.include_router(api.router(models, DEFAULT_MODEL), **limited)
    app.include_router(api_labs.router(context), **limited)
    app.include_router(oembed.router(context))
    model_pages = models_page.ModelPages(models, read_two_neighbours())
    app.router.routes += [
        *api_docs.routes(app, templates),
        *models_page.routes(model_pages, templates),
        *assign.routes(context),
        *step_files.routes(context, check_rate),
    ]
    strip_queries_from_access_log()
    # Outermost first; each of them costs every answer, a kept one too.
    cached_app = ResponseCacheMiddleware(app, settings.cache_megabytes * 1_000_000 // 2)
    return SecurityMiddleware(
        HeadMiddleware(ConditionalGetMiddleware(cached_app)), settings, errors.response
    )


app = create_app()
# What stands now stays. Looking through it for what can be thrown away took the collector 30 ms, in
# which everybody waited.
gc.collect()
gc.freeze()

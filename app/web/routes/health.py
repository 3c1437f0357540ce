"""`/healthz`: whether the server is ready."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from app.web.cache_control import NO_STORE
from app.web.context import AppContext


def router(_: AppContext) -> APIRouter:
    routes = APIRouter(tags=["service"])

    @routes.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> PlainTextResponse:
        """Answer “ok” once lessons and models are loaded."""
        return PlainTextResponse("ok", headers={"Cache-Control": NO_STORE})

    return routes

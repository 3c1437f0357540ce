"""`/docs`: the OpenAPI description as a page, without scripts or files from other hosts."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.web.context import AppContext

EXAMPLES = {
    "/api/v1/lessons": "/api/v1/lessons",
    "/api/v1/labs/{lesson}/{step}": (
        "/api/v1/labs/multi-head-attention/concatenate-then-mix?text=Birds+sing+at+dawn&off=0.1"
    ),
    "/api/v1/models": "/api/v1/models",
    "/api/v1/models/{model}/heads": "/api/v1/models/headwise-h8/heads",
    "/api/v1/attention": "/api/v1/attention?text=Birds+sing+at+dawn&model=headwise-h8&layer=1",
    "/api/v1/predict": "/api/v1/predict?text=Birds+[MASK]+at+dawn&off=0.3",
    "/healthz": "/healthz",
}
"""An example URL for each path of the API."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation; `default` is empty if there is none."""

    name: str
    required: bool
    default: str
    description: str


@dataclass(frozen=True)
class Operation:
    """An operation of the API; `responses` are pairs of status and description."""

    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    responses: tuple[tuple[str, str], ...]
    example: str | None


def operations(schema: dict[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document, in its order."""
    return [
        Operation(
            method.upper(),
            path,
            operation.get("description", ""),
            tuple(_to_parameter(each) for each in operation.get("parameters", ())),
            tuple(
                (status, answer["description"]) for status, answer in operation["responses"].items()
            ),
            EXAMPLES.get(path),
        )
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _to_parameter(parameter: dict[str, Any]) -> Parameter:
    return Parameter(
        parameter["name"],
        parameter.get("required", False),
        str(parameter["schema"].get("default", "")),
        parameter.get("description", ""),
    )


def router(app_context: AppContext) -> APIRouter:
    async def reference(request: Request) -> Response:
        schema = request.app.openapi()
        context = {"info": schema["info"], "operations": operations(schema)}
        return app_context.templates.response(request, "reference.html", context)

    routes = APIRouter(include_in_schema=False)
    routes.add_route("/docs", reference)
    return routes

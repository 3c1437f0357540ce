"""`/docs`: the API's own OpenAPI description as a page, without scripts or foreign hosts."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.web.templating import Pages


@dataclass(frozen=True)
class Parameter:
    name: str
    required: bool
    default: str
    description: str


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    responses: tuple[tuple[str, str], ...]


def operations(schema: dict[str, Any]) -> list[Operation]:
    """The operations of an OpenAPI document, in its order."""
    return [
        Operation(
            method.upper(),
            path,
            operation.get("description", ""),
            tuple(_parameter(each) for each in operation.get("parameters", ())),
            tuple(
                (status, answer["description"]) for status, answer in operation["responses"].items()
            ),
        )
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _parameter(parameter: dict[str, Any]) -> Parameter:
    return Parameter(
        parameter["name"],
        parameter.get("required", False),
        str(parameter["schema"].get("default", "")),
        parameter.get("description", ""),
    )


def router(app: FastAPI, pages: Pages) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    async def reference(request: Request) -> Response:
        schema = app.openapi()
        context = {"info": schema["info"], "operations": operations(schema)}
        return pages.response(request, "reference.html", context)

    return routes

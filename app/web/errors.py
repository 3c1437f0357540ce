"""Error responses: a page or fragment for people, JSON under /api/ for programs."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.attention import ScoresOverflowError
from app.web.htmx import VARY_REQUEST_TYPE, htmx_details
from app.web.rendering.templates import Templates
from app.web.state.query_params import Problem, first_problems

API_PREFIX = "/api/"

STATUS_HINTS = {
    404: "There is no page at this address. It may be mistyped, or the page has moved.",
    405: "This address does not accept this kind of request.",
    500: "Nothing you typed was recorded. Try again; a slightly different sentence may work.",
}

OVERFLOW_MESSAGE = "This model cannot be shown on this sentence."

ExceptionHandler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


class InvalidParametersError(Exception):
    """Query parameters of the API that cannot be used: status 422."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


class ErrorPages:
    """Error responses made from templates, and the application's exception handlers."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates
        self.handlers: dict[int | type[Exception], ExceptionHandler] = {
            HTTPException: self._http_exception,
            ScoresOverflowError: self._scores_overflow,
            InvalidParametersError: self._invalid_parameters,
            RequestValidationError: self._request_validation,
        }

    def response(self, request: Request, status: int, message: str = "") -> Response:
        """Return a page, a fragment for htmx, or JSON under /api/; `message` has a default."""
        message = message or STATUS_HINTS.get(status, "")
        if f"{request.url.path}/".startswith(API_PREFIX):
            return problems_response(status, [Problem("", message or HTTPStatus(status).phrase)])
        template = "error-fragment.html" if htmx_details(request).is_partial else "error.html"
        context: dict[str, object] = {
            "status": status,
            "title": HTTPStatus(status).phrase,
            "message": message,
        }
        return self.templates.response(
            request, template, context, status=status, headers={"Vary": VARY_REQUEST_TYPE}
        )

    async def _http_exception(self, request: Request, error: HTTPException) -> Response:
        # Starlette fills in the phrase of a status where no detail is given.
        detail = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
        response = self.response(request, error.status_code, detail)
        response.headers.update(error.headers or {})
        return response

    async def _scores_overflow(self, request: Request, error: ScoresOverflowError) -> Response:
        """Only the weights of a checkpoint can be so large."""
        message = f"{OVERFLOW_MESSAGE} {error}"
        return self.response(request, HTTPStatus.UNPROCESSABLE_ENTITY, message)

    async def _invalid_parameters(self, _: Request, error: InvalidParametersError) -> Response:
        return problems_response(HTTPStatus.UNPROCESSABLE_ENTITY, error.problems)

    async def _request_validation(self, _: Request, error: RequestValidationError) -> Response:
        problems = [
            Problem(str(each["loc"][-1]), f"{each['loc'][-1]}: {each['msg']}")
            for each in error.errors()
        ]
        return problems_response(HTTPStatus.UNPROCESSABLE_ENTITY, problems)


def problems_response(status: int, problems: list[Problem]) -> JSONResponse:
    """Return problems as JSON of the shape `schemas.ErrorOut`."""
    return JSONResponse(
        {
            "error": {
                "status": status,
                "title": HTTPStatus(status).phrase,
                "problems": [
                    {"name": each.name, "message": each.message, "allowed": list(each.allowed)}
                    for each in first_problems(problems)
                ],
            }
        },
        status,
    )

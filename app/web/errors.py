"""Whatever goes wrong, told as a page to people and as JSON to programs."""

from http import HTTPStatus

from fastapi import FastAPI
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
    404: "Nothing is at this address: it may be mistyped, or what stood here has moved.",
    405: "Headwise only answers questions; nothing here can be changed.",
    500: "Nothing you typed was recorded. Try again; a slightly different sentence may work.",
}


OVERFLOW_MESSAGE = "This model cannot be shown on this sentence."


class UnusableRequestError(Exception):
    """The values of a request to the API cannot be used; answered with 422."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


class ErrorHandlers:
    """Makes the answer to every kind of failure."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates

    def response(self, request: Request, status: int, message: str = "") -> Response:
        """A page, a fragment for the lab, or JSON under /api/, that says what happened and what
        to do.
        """
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

    def register(self, app: FastAPI) -> None:
        @app.exception_handler(HTTPException)
        async def http_error(request: Request, error: HTTPException) -> Response:
            detail = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
            response = self.response(request, error.status_code, detail)
            response.headers.update(error.headers or {})
            return response

        @app.exception_handler(Exception)
        async def internal_error(request: Request, _: Exception) -> Response:
            return self.response(request, HTTPStatus.INTERNAL_SERVER_ERROR)

        @app.exception_handler(ScoresOverflowError)
        async def overflow(request: Request, error: ScoresOverflowError) -> Response:
            """Only a checkpoint's own numbers can be so large."""
            return self.response(
                request, HTTPStatus.UNPROCESSABLE_ENTITY, f"{OVERFLOW_MESSAGE} {error}"
            )

        @app.exception_handler(UnusableRequestError)
        async def unusable_request(_: Request, error: UnusableRequestError) -> Response:
            return problems_response(422, error.problems)

        @app.exception_handler(RequestValidationError)
        async def validation_error(_: Request, error: RequestValidationError) -> Response:
            return problems_response(
                422,
                [
                    Problem(str(each["loc"][-1]), f"{each['loc'][-1]}: {each['msg']}")
                    for each in error.errors()
                ],
            )


def problems_response(status: int, problems: list[Problem]) -> JSONResponse:
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

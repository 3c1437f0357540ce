"""Whatever goes wrong, told as a page to people and as JSON to programs."""

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.web.view import Problem

API = "/api/"


class UnusableRequestError(Exception):
    """The values of a request to the API cannot be used; answered with 422."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


class Errors:
    """Makes the answer to every kind of failure."""

    def __init__(self, jinja: Environment) -> None:
        self.jinja = jinja

    def response(self, request: Request, status: int, message: str = "") -> Response:
        """A page, or JSON under /api/, that says what happened and what to do."""
        title = HTTPStatus(status).phrase
        if request.url.path.startswith(API):
            return JSONResponse(
                {"error": {"status": status, "title": title, "problems": [{"message": message}]}},
                status,
            )
        page = self.jinja.get_template("error.html").render(
            status=status, title=title, message=message
        )
        return HTMLResponse(page, status)

    def register(self, app: FastAPI) -> None:
        @app.exception_handler(HTTPException)
        async def http_error(request: Request, error: HTTPException) -> Response:
            detail = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
            response = self.response(request, error.status_code, detail)
            response.headers.update(error.headers or {})
            return response

        @app.exception_handler(Exception)
        async def fault(request: Request, _: Exception) -> Response:
            return self.response(request, HTTPStatus.INTERNAL_SERVER_ERROR)

        @app.exception_handler(UnusableRequestError)
        async def unusable(_: Request, error: UnusableRequestError) -> Response:
            return unusable_response(error.problems)

        @app.exception_handler(RequestValidationError)
        async def invalid(_: Request, error: RequestValidationError) -> Response:
            return unusable_response(
                [
                    Problem(str(each["loc"][-1]), f"{each['loc'][-1]}: {each['msg']}")
                    for each in error.errors()
                ]
            )


def unusable_response(problems: list[Problem]) -> JSONResponse:
    return JSONResponse(
        {
            "error": {
                "status": 422,
                "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
                "problems": [
                    {"name": each.name, "message": each.message, "allowed": list(each.allowed)}
                    for each in problems
                ],
            }
        },
        422,
    )

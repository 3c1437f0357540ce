"""The API does what its own description says, whatever is thrown at it."""

import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from app.application import create_app
from app.settings import Settings
from app.web.routes.api_docs import EXAMPLES

APP = create_app(Settings(api_per_minute=10**9))
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


# A description in JSON Schema cannot say how many tokens a text has, or how many heads a model:
# what fits it may still be refused, and `test_api.py` holds how.
@SCHEMA.parametrize()
def test_every_answer_is_as_described(case):
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def test_everything_under_the_api_is_described():
    described = set(TestClient(APP).get("/openapi.json").json()["paths"])
    assert described == {
        "/api/v1/attention",
        "/api/v1/labs/{lesson}/{step}",
        "/api/v1/lessons",
        "/api/v1/models",
        "/api/v1/models/{model}/heads",
        "/api/v1/predict",
        "/healthz",
    }


@pytest.mark.parametrize("path", SCHEMA.raw_schema["paths"])
def test_every_operation_has_an_example_that_works(path):
    assert TestClient(APP).get(EXAMPLES[path]).status_code == 200

import os

import pytest
from hypothesis import settings
from starlette.testclient import TestClient

from app.application import build_registry, create_app
from app.evaluation.registry import EvaluatedRegistry
from app.settings import Settings

# Machines under load miss any deadline; where others wait for the outcome, examples repeat.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

STEP_1 = "/multi-head-attention/why-one-head-is-not-enough"


@pytest.fixture(scope="session")
def models() -> EvaluatedRegistry:
    return build_registry(Settings())


@pytest.fixture(scope="session")
def client() -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(scope="session")
def step_1() -> str:
    return STEP_1

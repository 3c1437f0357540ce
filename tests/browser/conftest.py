import pytest

from tests.chromium import launch_options
from tests.conftest import STEP_1
from tests.models.checkpoints.tiny_checkpoints import save_checkpoint
from tests.serving import run_server


@pytest.fixture(scope="session")
def browser_type_launch_args():
    return launch_options()


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    """Requests are to be seen by the tests: the service worker has a test of its own."""
    return browser_context_args | {"service_workers": "block"}


@pytest.fixture(scope="session")
def server():
    with run_server() as address:
        yield address


@pytest.fixture(scope="session")
def checkpoint_server(tmp_path_factory):
    """A server with tiny checkpoints of several families, one of them of 14 layers."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for kind in ("bert", "bert-base", "roberta", "gpt2", "llama"):
        save_checkpoint(kind, folder / kind)
    save_checkpoint("llama", folder / "deep", num_hidden_layers=14)
    with run_server(HEADWISE_CHECKPOINTS=str(folder)) as address:
        yield address


@pytest.fixture
def step(server):
    return server + STEP_1


@pytest.fixture
def page(page):
    """A page that fails its test if a script fails or the policy blocks anything."""
    page.set_default_timeout(10_000)
    errors = []

    def note(message):
        if message.type == "error" and "status of 4" not in message.text:
            errors.append(message.text)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", note)
    yield page
    assert not errors

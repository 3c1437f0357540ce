import re
from pathlib import Path

import pytest

from app.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_setting_with_its_meaning():
    listed = dict(re.findall(r"^\| `HEADWISE_(\w+)` \|.*\| (.+?) \|$", README, re.MULTILINE))
    fields = {name.upper(): field.description for name, field in Settings.model_fields.items()}
    assert listed == fields


@pytest.mark.parametrize("name", ["max_query_bytes", "max_body_bytes"])
def test_a_setting_is_taken_from_the_environment(monkeypatch, name):
    monkeypatch.setenv(f"HEADWISE_{name.upper()}", "123")
    assert getattr(Settings(), name) == 123


def test_the_readme_lists_the_defaults():
    for name in ("max_query_bytes", "max_body_bytes"):
        assert f"| `HEADWISE_{name.upper()}` | {getattr(Settings(), name)} |" in README

import re
from os import pathsep
from pathlib import Path

import pytest
from pydantic import ValidationError

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


def test_folders_of_checkpoints_are_separated_as_in_path_variables(monkeypatch):
    assert Settings().checkpoints == ()
    monkeypatch.setenv("HEADWISE_CHECKPOINTS", pathsep.join(["one", "two words", ""]))
    assert Settings().checkpoints == (Path("one"), Path("two words"))


@pytest.mark.parametrize("name", ["embed_origins", "cors_origins"])
def test_origins_are_separated_by_spaces(monkeypatch, name):
    assert getattr(Settings(), name) == ()
    monkeypatch.setenv(f"HEADWISE_{name.upper()}", " https://a.example  http://b.example:8000 ")
    assert getattr(Settings(), name) == ("https://a.example", "http://b.example:8000")


@pytest.mark.parametrize("origin", ["a.example", "https://a.example/path", "*", "javascript:x"])
def test_what_is_not_an_origin_is_refused(monkeypatch, origin):
    monkeypatch.setenv("HEADWISE_EMBED_ORIGINS", f"https://a.example {origin}")
    with pytest.raises(ValidationError, match="embed_origins"):
        Settings()

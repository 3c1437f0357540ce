"""What the TOML files of a lesson may hold."""

import tomllib

import pytest
from pydantic import ValidationError

from app.lesson.schema import Citation, LessonConfig, StepConfig
from tests.lesson.small_lesson import SLUG, SMALL_LESSONS, STEP_1

STEP_FILE, LESSON_FILE = (SMALL_LESSONS / SLUG / name for name in (f"{STEP_1}.toml", "lesson.toml"))


def read(file):
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", ["", "defaults", "predict", "check"])
def test_an_unknown_key_is_rejected(table):
    values = read(STEP_FILE)
    (values[table] if table else values)["colour"] = "green"
    with pytest.raises(ValidationError, match="colour"):
        StepConfig.model_validate(values)


@pytest.mark.parametrize("key", ["title", "objective", "defaults", "lab", "predict"])
def test_a_missing_key_is_rejected(key):
    values = read(STEP_FILE)
    del values[key]
    with pytest.raises(ValidationError, match=key):
        StepConfig.model_validate(values)


def test_other_keys_of_the_lab_are_its_options():
    assert StepConfig.model_validate(read(STEP_FILE)).lab.options == {
        "beside": "headwise-h1",
        "many": "headwise-h8",
    }


@pytest.mark.parametrize("n", [2, 4])
def test_a_check_has_three_options(n):
    values = read(STEP_FILE)
    values["check"]["options"] = (values["check"]["options"] * 2)[:n]
    with pytest.raises(ValidationError, match="options"):
        StepConfig.model_validate(values)


def test_version_end_and_planned_steps_may_be_left_out():
    values = read(LESSON_FILE)
    del values["version"], values["end"]
    config = LessonConfig.model_validate(values)
    assert (config.version, config.end, config.planned) == (None, None, [])


@pytest.mark.parametrize("key", ["title", "summary", "prerequisites"])
def test_the_other_keys_of_a_lesson_may_not(key):
    values = read(LESSON_FILE)
    del values[key]
    with pytest.raises(ValidationError, match=key):
        LessonConfig.model_validate(values)


@pytest.mark.parametrize(
    ("key", "value", "text", "address"),
    [
        ("doi", "10.18653/v1/W19", "doi:10.18653/v1/W19", "https://doi.org/10.18653/v1/W19"),
        ("arxiv", "1706.03762", "arXiv:1706.03762", "https://arxiv.org/abs/1706.03762"),
        ("arxiv", "cs/0112017", "arXiv:cs/0112017", "https://arxiv.org/abs/cs/0112017"),
        ("url", "https://example.org/a?b=1", "example.org/a?b=1", "https://example.org/a?b=1"),
        ("url", "/models", "/models", "/models"),
    ],
)
def test_a_citation_leads_to_its_source(key, value, text, address):
    citation = Citation.model_validate({"claim": "c", "source": "s", key: value})
    assert citation.links == [(text, address)]


def test_a_citation_may_have_several_links_or_none():
    plain = Citation(claim="c", source="s")
    assert plain.links == []
    both = Citation(claim="c", source="s", doi="10.1234/x", arxiv="1706.03762")
    assert [text for text, _ in both.links] == ["doi:10.1234/x", "arXiv:1706.03762"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("doi", "https://doi.org/10.1234/x"),
        ("doi", "10.1234"),
        ("arxiv", "arXiv:1706.03762"),
        ("arxiv", "1706"),
        ("url", "http://example.org"),
        ("url", "javascript:alert(1)"),
    ],
)
def test_an_address_in_another_form_is_rejected(key, value):
    with pytest.raises(ValidationError, match=key):
        Citation.model_validate({"claim": "c", "source": "s", key: value})

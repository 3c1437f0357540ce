"""Every term that a text links to has a definition, and every definition is used."""

import pytest

from app.lesson import load_lessons
from app.lesson.glossary import terms_of
from tests.lesson.small_lesson import SLUG, STEP_1, STEP_2, edit_step


def issues_in(folder, models):
    issues = load_lessons(folder, models).issues
    return [str(issue).replace(f"{folder}/", "") for issue in issues]


def test_terms_are_listed_once_in_the_order_of_reading():
    texts = ["[a](term:one) and [b](term:two)", "[c](term:one) [d](/term:three)"]
    assert terms_of(texts) == ("one", "two")


def test_a_step_knows_its_terms_and_the_lesson_their_definitions(folder, models):
    (lesson,) = load_lessons(folder, models).lessons
    assert [step.terms for step in lesson.steps] == [("head",), ("key",)]
    assert lesson.glossary["key"].name == "key vector"
    assert lesson.glossary["head"].name is None


def test_terms_of_other_texts_count_too(folder, models):
    edit_step(folder, f"{STEP_1}.toml", "A head may read", "A head with a [key](term:key) may read")
    assert issues_in(folder, models) == []
    assert load_lessons(folder, models).lessons[0].steps[0].terms == ("head", "key")


@pytest.mark.parametrize("step", [STEP_1, STEP_2])
def test_a_term_without_a_definition_is_an_issue(folder, models, step):
    line = edit_step(folder, f"{step}.md", "::predict", "a [b](term:nobody)\n\n::predict")
    assert issues_in(folder, models) == [
        f"{SLUG}/{step}.md:{line}: there is no term “nobody” in glossary.toml"
    ]


def test_a_definition_that_no_text_uses_is_an_issue(folder, models):
    edit_step(folder, f"{STEP_2}.md", "[keys](term:key)", "keys")
    assert issues_in(folder, models) == [f"{SLUG}/glossary.toml:4: no text links to term:key"]


def test_unused_definitions_are_no_issue_while_a_step_is_broken(folder, models):
    edit_step(folder, f"{STEP_2}.md", "[keys](term:key)", "[keys](#nothing)")
    (issue,) = issues_in(folder, models)
    assert "no part “nothing”" in issue


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[key]", "[Key]", "should match pattern"),
        ("definition =", "definitoin =", "Field required"),
        ("What a token", "What {word}", "unknown placeholder {word}"),
        (
            "What a token",
            "What a [token](term:head)",
            "the link term:head works only",
        ),
        ("What a token", "What a [token](?word=1)", "the link ?word=1 works only"),
        ("What a token", "What $x^$", "not valid LaTeX"),
    ],
)
def test_a_wrong_definition_is_an_issue_of_the_glossary(folder, models, old, new, message):
    edit_step(folder, "glossary.toml", old, new)
    issues = [issue for issue in issues_in(folder, models) if "glossary.toml:" in issue]
    assert any(message in issue for issue in issues)


def test_a_lesson_may_do_without_a_glossary(folder, models):
    (folder / SLUG / "glossary.toml").unlink()
    edit_step(folder, f"{STEP_1}.md", "[head](term:head)", "head")
    edit_step(folder, f"{STEP_2}.md", "[keys](term:key)", "keys")
    assert issues_in(folder, models) == []
    (lesson,) = load_lessons(folder, models).lessons
    assert lesson.glossary == {}

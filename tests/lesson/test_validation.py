"""Every mistake in a lesson's files is reported with its file and line."""

from dataclasses import replace

import pytest

from app.lesson import PREDICTIONS, Answer, Question, load_lessons
from app.lesson.validation import line_of
from tests.lesson.small_lesson import SLUG, STEP_1, STEP_2, edit_step


def issues_in(folder, models):
    """The issues, with paths inside the folder of lessons."""
    issues = load_lessons(folder, models).issues
    return [str(issue).replace(f"{folder}/", "") for issue in issues]


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".toml", 'name = "side-by-side"', 'name = "sideways"', "unknown lab “sideways”"),
        (".toml", 'computed_by = "keeps', 'computed_by = "x', "unknown prediction “x"),
        (
            ".toml",
            "layer = 0",
            "layer = -1",
            "defaults.layer: Input should be greater than or equal",
        ),
        (".toml", 'declared = "yes"', "declared =", "Invalid value"),
        (".toml", 'declared = "yes"', 'declared = "no"', "declared is no, but the models answer"),
        (".toml", 'model = "headwise-h8"', 'model = "h3"', "predict.model: no model “h3”"),
        (".toml", 'model = "headwise-h4"', 'model = "h3"', "defaults.model: no model “h3”"),
        (".toml", 'beside = "headwise-h1"', 'beside = "h3"', "lab.beside: no model “h3”"),
        (".toml", "beside =", "besides =", "lab.besides: Extra inputs are not permitted"),
        (
            ".toml",
            "Why can’t a row",
            "Why can’t {word}",
            "unknown placeholder {word}; there are none",
        ),
        (".toml", 'text = "A head', 'text = "{word} head', "unknown placeholder {word}"),
        (
            ".toml",
            "It does not",
            "It does {nobody}",
            "unknown placeholder {nobody}; there are none",
        ),
        (".toml", 'yes = "It does"', 'it = "It does"', "no answer has the id it"),
        (".toml", "word = 2", "word = 5", "the default word does not exist"),
        (".toml", "head = 2", "head = 4", "the default head does not exist"),
        (".toml", "layer = 0", "layer = 2", "the default layer does not exist"),
        (".toml", "small dog", "dog " * 60, "the default text does not exist"),
        (".toml", "right = true", "right = false", "exactly one option must be right"),
        (".toml", "A head may", "$x^$", "this formula is not valid LaTeX: x^"),
        (".toml", 'id = "one-word"', 'id = "sum"', "ids must differ"),
        (".toml", "Softmax of", "{word}", "unknown placeholder {word}"),
        (".md", "::check", "::chekc", "unknown marker ::chekc"),
        (".md", "::predict", "::lab", "::lab must occur exactly once"),
        (".md", "::predict", "", "::predict must occur exactly once"),
        (".md", "::shapes", "::shapes\n::shapes", "::shapes may occur only once"),
        (".md", "::end\n\n::check", "::check", "::deeper is never ended by ::end"),
        (".md", "::check", "::check\n::end", "::end ends no block"),
        (".md", "::predict", "::deeper More\n::predict\n::end", "::predict cannot be inside"),
        (".md", "::own", "::own\n::default\n::end", "::default cannot be inside ::own"),
        (".md", "::own", "::own mine", "::own has no title on its line"),
        (".md", "::deeper What *more* there is", "::deeper", "::deeper needs a title"),
        (".md", "::deeper What", "::deeper [What](?word=1)", "a title has neither links"),
        (".md", "?word=3", "?word=5", "the link ?word=5 makes no sense: word cannot be “5” here"),
        (".md", "?word=3", "?causal=1", "this lab has no control “causal”"),
        (".md", "?word=3", "?", "the link ? changes nothing"),
        (".md", "#keys", "#kies", "there is no part “kies” to light"),
        (".md", "role:query", "role:queen", "there is no role “queen”"),
        (".md", "{top}", "{bottom}", "unknown placeholder {bottom}"),
        (".md", "\\query{Q}", "\\light{Q}{Q}", "this formula lights an unknown part “Q”"),
        (".toml", "Softmax divides", "[It](?word=1) divides", "a link that changes the view works"),
        (".toml", "Positions do", "[Positions](?word=9) do", "word cannot be “9” here"),
    ],
)
def test_an_issue_is_reported_with_its_file(folder, models, suffix, old, new, message):
    edit_step(folder, f"{STEP_1}{suffix}", old, new)
    assert any(
        issue.startswith(f"{SLUG}/{STEP_1}{suffix}:") and message in issue
        for issue in issues_in(folder, models)
    )


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        (".toml", "layer = 0", 'layer = "low"'),
        (".toml", 'name = "side-by-side"', 'name = "sideways"'),
        (".toml", 'right = "You said', 'right = "{word} {nobody} You said'),
        (".toml", 'text = "A head reads', 'texxt = "A head reads'),
        (".md", "::predict", "::predikt"),
        (".md", "?word=3", "?word=7"),
        (".md", "#keys", "#kies"),
        (".md", "{top}", "{bottom}"),
        (".toml", 'feedback = "A head may', 'feedback = "[A](term:x) head may'),
    ],
)
def test_an_issue_is_reported_with_its_line(folder, models, suffix, old, new):
    line = edit_step(folder, f"{STEP_1}{suffix}", old, new)
    assert f"{SLUG}/{STEP_1}{suffix}:{line}: " in "\n".join(issues_in(folder, models))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kv_heads = 2\n", "", "Field required"),
        ("d_head = 8", "d_head = 0", "greater than or equal to 1"),
        ("d_head = 8", "d_head = 8\nd_tail = 1", "not permitted"),
    ],
)
def test_the_options_of_a_prediction_are_validated(folder, models, old, new, message):
    edit_step(folder, f"{STEP_2}.toml", old, new)
    (issue,) = issues_in(folder, models)
    assert "predict.options." in issue
    assert message in issue


def test_the_options_of_a_lab_are_validated(folder, models):
    line = edit_step(folder, f"{STEP_2}.toml", "heads = 12", "heads = 0")
    (issue,) = issues_in(folder, models)
    assert issue.startswith(f"{SLUG}/{STEP_2}.toml:{line}: lab.real_models.0.heads: ")


def test_all_issues_are_reported_at_once(folder, models):
    edit_step(folder, f"{STEP_1}.toml", "layer = 0", "layer = -1")
    edit_step(folder, f"{STEP_1}.md", "::check", "::chekc")
    edit_step(folder, f"{STEP_2}.toml", 'declared = "320"', 'declared = "160"')
    issues = issues_in(folder, models)
    for message in ("defaults.layer", "unknown marker", "::check must occur", "declared is 160"):
        assert sum(message in issue for issue in issues) == 1


def test_a_tie_on_the_default_sentence_is_an_issue(folder, models, monkeypatch):
    def answer(_):
        return Answer(("320", "640"), {"all_heads": "1"})

    prediction_type = replace(PREDICTIONS["cached_numbers"], answer=answer)
    monkeypatch.setitem(PREDICTIONS, "cached_numbers", prediction_type)
    (issue,) = issues_in(folder, models)
    assert "320 and 640 tie; choose defaults with one right answer" in issue


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({".md": ("::check", "::code\n\n::check")}, "::code needs a table [code]"),
        (
            {".toml": ("[check]", '[code]\nshow = "repeat-kv"\n\n[check]')},
            "does not place the code",
        ),
        (
            {
                ".md": ("::check", "::code\n\n::check"),
                ".toml": ("[check]", '[code]\nshow = "repeat"\n\n[check]'),
            },
            "unknown code “repeat”",
        ),
    ],
)
def test_code_exists_and_is_placed(folder, models, files, message):
    for suffix, (old, new) in files.items():
        edit_step(folder, f"{STEP_2}{suffix}", old, new)
    (issue,) = issues_in(folder, models)
    assert message in issue


def test_every_reason_and_cause_has_a_text_and_every_text_is_used(folder, models, monkeypatch):
    prediction_type = replace(
        PREDICTIONS["cached_numbers"], reasons={"because": ("value",)}, unanswerable=("alone",)
    )
    monkeypatch.setitem(PREDICTIONS, "cached_numbers", prediction_type)
    missing = issues_in(folder, models)
    assert [issue.partition("predict.")[2] for issue in missing] == [
        "reasons has no text for because",
        "unanswerable has no text for alone",
    ]
    texts = '[predict.reasons]\nbecause = "{value}"\nwhy = "x"\n[predict.unanswerable]\nalone = "x"'
    line = edit_step(folder, f"{STEP_2}.toml", "[predict.options]", f"{texts}\n[predict.options]")
    (issue,) = issues_in(folder, models)
    assert issue.startswith(f"{SLUG}/{STEP_2}.toml:{line + 2}: predict.reasons has no why here")


def test_a_default_sentence_that_cannot_be_asked_about_is_an_issue(folder, models, monkeypatch):
    prediction_type = replace(
        PREDICTIONS["cached_numbers"],
        ask=lambda _: Question((), unanswerable="alone"),
        unanswerable=("alone",),
    )
    monkeypatch.setitem(PREDICTIONS, "cached_numbers", prediction_type)
    texts = '[predict.unanswerable]\nalone = "x"\n'
    edit_step(folder, f"{STEP_2}.toml", "[predict.options]", f"{texts}[predict.options]")
    (issue,) = issues_in(folder, models)
    assert "the default sentence has no answer: alone" in issue


def test_an_unmatched_brace_is_text(folder, models):
    edit_step(folder, f"{STEP_2}.toml", "{value} numbers", "{value} {oops")
    assert issues_in(folder, models) == []


def test_a_default_head_missing_in_the_prediction_model_is_no_issue(folder, models):
    edit_step(folder, f"{STEP_1}.toml", 'model = "headwise-h8"', 'model = "headwise-h1"')
    assert issues_in(folder, models) == []


@pytest.mark.parametrize("old", ["Every weight", "What does a head", "What do columns", "Keys."])
def test_every_text_of_the_end_page_is_validated(folder, models, old):
    line = edit_step(folder, "lesson.toml", old, f"{{nobody}} {old}")
    (issue,) = issues_in(folder, models)
    assert issue.startswith(f"{SLUG}/lesson.toml:{line}: unknown placeholder {{nobody}}")


@pytest.mark.parametrize("link", ["?word=1", "#keys", "term:head", "role:query"])
def test_the_end_page_has_no_link_of_a_step(folder, models, link):
    line = edit_step(folder, "lesson.toml", "Every weight", f"[Every]({link}) weight")
    (issue,) = issues_in(folder, models)
    assert issue == f"{SLUG}/lesson.toml:{line}: the link {link} works only in the texts of a step"


def test_a_missing_key_is_reported_at_the_line_of_its_table():
    source = (
        'title = "x"\n[defaults]\ntext = "t"\n\n[predict]\nmodel = "m"\n[check]\nquestion = 1\n'
    )
    assert line_of(source, ("defaults", "model")) == 2
    assert line_of(source, ("predict", "question")) == 5
    assert line_of(source, ("predict", "model")) == 6


def test_the_line_of_a_repeated_table_is_counted():
    source = "[check]\n[[check.options]]\nid = 1\n[[check.options]]\nid = 2\n"
    assert line_of(source, ("check", "options", 0, "id")) == 3
    assert line_of(source, ("check", "options", 1, "id")) == 5

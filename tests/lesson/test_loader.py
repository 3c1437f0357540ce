import re
import shutil
import subprocess
import sys

import pytest

from app.lesson import PREDICTIONS, PredictionInput, load_lessons
from app.lesson.loader import RESERVED_SLUGS
from app.lesson.selection import Selection
from app.lesson.validation import line_of
from app.models import load_builtin_models
from app.settings import site_folder

MODELS = load_builtin_models()
LESSONS = load_lessons(site_folder("lessons"), MODELS).lessons
STEPS = [(lesson, step) for lesson in LESSONS for step in lesson.steps]
STEM = "01-why-one-head-is-not-enough"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(site_folder("lessons"), tmp_path / "lessons")
    return tmp_path / "lessons"


def problems_of(folder):
    mistakes = load_lessons(folder, MODELS).issues
    assert mistakes
    return [str(mistake).replace(str(folder) + "/", "") for mistake in mistakes]


def replace_in_step(folder, suffix, old, new):
    file = folder / "multi-head-attention" / f"{STEM}{suffix}"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_lesson_has_seven_steps_in_order():
    (lesson,) = LESSONS
    assert [line.number for line in lesson.outline] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("lesson", "step"), STEPS, ids=lambda each: each.slug)
def test_the_computed_answer_on_the_default_sentence_is_the_declared_one(lesson, step, models):
    config = step.config
    model = models[config.defaults.model]
    selection = Selection(
        model.tokenizer.sentence(config.defaults.text),
        models[config.predict.model or config.defaults.model],
        config.defaults.layer,
        config.defaults.head,
        config.defaults.word,
    )
    prediction_input = PredictionInput(selection, config.predict.options)
    truth = PREDICTIONS[config.predict.computed_by].compute(prediction_input)
    assert config.predict.declared in truth.answers
    assert not truth.is_tie


@pytest.mark.parametrize(("lesson", "step"), STEPS, ids=lambda each: each.slug)
def test_at_most_120_words_come_before_the_lab(lesson, step):
    text = re.sub(r"<[^>]+>", "", " ".join(part.html for part in step.before_lab))
    words = [word for word in text.split() if any(letter.isalpha() for letter in word)]
    assert 0 < len(words) <= 120


def test_a_step_is_found_by_slug_and_by_number():
    (lesson,) = LESSONS
    assert lesson.step("1") is lesson.step("why-one-head-is-not-enough") is lesson.steps[0]
    assert lesson.step("8") is None


def test_the_lesson_takes_ten_to_twelve_minutes():
    (lesson,) = LESSONS
    assert 10 <= sum(step.config.minutes for step in lesson.steps) <= 12


def test_a_broken_step_does_not_affect_the_others(folder):
    replace_in_step(folder, ".toml", "minutes = 1.5", "minutes = 0")
    (folder / "multi-head-attention" / "04-same-budget-thinner-heads.md").unlink()
    library = load_lessons(folder, MODELS)
    (lesson,) = library.lessons
    assert [step.number for step in lesson.steps] == [2, 3, 5, 6, 7]
    assert [line.number for line in lesson.outline] == [1, 2, 3, 4, 5, 6, 7]
    assert [line.why for line in lesson.outline if not line.step] == ["being mended"] * 2
    assert len(library.issues) == 2
    assert lesson.after(lesson.step("3")) is lesson.step("5")
    assert lesson.after(lesson.step("7")) is None


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".toml", 'name = "side-by-side"', 'name = "sideways"', "unknown lab “sideways”"),
        (".toml", 'computed_by = "distinct', 'computed_by = "x', "nothing computes “x"),
        (".toml", "minutes = 1.5", "minutes = 0", "minutes: Input should be greater than 0"),
        (".toml", 'declared = "3"', "declared =", "Invalid value"),
        (".toml", 'declared = "3"', 'declared = "4"', "declared is 4, but the models answer 3"),
        (".toml", 'model = "headwise-h8"', 'model = "h3"', "predict.model: no model “h3”"),
        (".toml", 'model = "headwise-h4"', 'model = "h3"', "defaults.model: no model “h3”"),
        (".toml", 'beside = "headwise-h1"', 'beside = "h3"', "lab.beside: no model “h3”"),
        (".toml", "beside =", "besides =", "lab.besides: Extra inputs are not permitted"),
        (".toml", "Why can’t one row", "Why can’t {word}", "unknown field {word}; there are none"),
        (".toml", 'text = "A head', 'text = "{word} head', "unknown field {word}"),
        (".toml", "word = 2", "word = 4", "the default word does not exist"),
        (".toml", "head = 2", "head = 4", "the default head does not exist"),
        (".toml", "right = true", "right = false", "exactly one option must be right"),
        (".toml", 'id = "one-word"', 'id = "sum"', "ids repeat"),
        (".md", "::check", "::chekc", "unknown marker ::chekc"),
        (".md", "::predict", "::lab", "::lab must stand in it exactly once"),
    ],
)
def test_a_problem_is_reported_with_its_file(folder, suffix, old, new, message):
    replace_in_step(folder, suffix, old, new)
    assert any(
        mistake.startswith(f"multi-head-attention/{STEM}{suffix}:") and message in mistake
        for mistake in problems_of(folder)
    )


@pytest.mark.parametrize(
    ("suffix", "old", "new"),
    [
        (".toml", "minutes = 1.5", 'minutes = "long"'),
        (".toml", 'name = "side-by-side"', 'name = "sideways"'),
        (".toml", 'right = "You said', 'right = "{word} {nobody} You said'),
        (".toml", 'text = "A head attends', 'texxt = "A head attends'),
        (".md", "::predict", "::predikt"),
    ],
)
def test_a_problem_is_reported_with_its_line(folder, suffix, old, new):
    line = replace_in_step(folder, suffix, old, new)
    assert f"multi-head-attention/{STEM}{suffix}:{line}: " in "\n".join(problems_of(folder))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kv_heads = 8\nd_head = 128\n\n[check]", "d_head = 128\n\n[check]", "Field required"),
        ("d_head = 128\n\n[check]", "d_head = 0\n\n[check]", "greater than or equal to 1"),
        ("d_head = 128\n\n[check]", "d_head = 128\nd_tail = 1\n\n[check]", "not permitted"),
    ],
)
def test_the_options_of_a_prediction_are_validated(folder, old, new, message):
    file = folder / "multi-head-attention" / "07-heads-in-real-models.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    (mistake,) = problems_of(folder)
    assert "predict.options." in mistake
    assert message in mistake


def test_all_problems_are_reported_at_once(folder):
    replace_in_step(folder, ".toml", "minutes = 1.5", "minutes = 0")
    replace_in_step(folder, ".md", "::check", "::chekc")
    assert len(problems_of(folder)) >= 3


@pytest.mark.parametrize("name", ["01-why.png", "01-why-one-head-is-not-enough.md~", "notes.txt"])
def test_a_stray_file_is_a_problem(folder, name):
    (folder / "multi-head-attention" / name).write_text("x", encoding="utf-8")
    assert f"multi-head-attention/{name}:1: is neither" in "\n".join(problems_of(folder))


def test_a_folder_without_lessons_is_a_problem(tmp_path):
    for empty in (tmp_path, tmp_path / "nowhere"):
        assert "no lesson is here" in problems_of(empty)[0]


def test_a_lesson_without_steps_is_a_problem(folder):
    for file in (folder / "multi-head-attention").glob("0*"):
        file.unlink()
    assert "has no step yet" in "\n".join(problems_of(folder))


@pytest.mark.parametrize("name", RESERVED_SLUGS)
def test_a_lesson_cannot_take_an_address_of_the_site(folder, name):
    (folder / "multi-head-attention").rename(folder / name)
    assert "a lesson cannot be named" in "\n".join(problems_of(folder))


def test_a_step_cannot_take_the_address_of_the_end(folder):
    for file in (folder / "multi-head-attention").glob("07-*"):
        file.rename(file.with_stem("07-end"))
    assert "a step cannot be named end" in "\n".join(problems_of(folder))


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".md", "$W_Q$", "$x^$", "this formula cannot be set: x^"),
        (".toml", "Softmax divides", "$x^$ divides", "this formula cannot be set: x^"),
        (".toml", 'beside = "headwise-h1"', 'beside = ["x"]', "lab.beside"),
        (".toml", "[check]", '[predict.labels]\nno = "No"\n[check]', "no answer is called no"),
        (".md", "For every word", "\udcff every word", "is not UTF-8"),
    ],
)
def test_no_problem_of_a_step_affects_the_others(folder, suffix, old, new, message):
    file = folder / "multi-head-attention" / f"{STEM}{suffix}"
    text = file.read_text(encoding="utf-8").replace(old, new, 1)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    library = load_lessons(folder, MODELS)
    assert [step.number for step in library.lessons[0].steps] == [2, 3, 4, 5, 6, 7]
    line = text[: text.index(new.split("\n")[0])].count("\n") + 1
    assert any(message in str(m) and abs(m.line - line) <= 1 for m in library.issues)


def test_an_unmatched_brace_is_text(folder):
    replace_in_step(
        folder, ".toml", 'right = "You said', 'choice = "{value} {oops"\nright = "You said'
    )
    assert load_lessons(folder, MODELS).issues == ()


def test_a_default_head_missing_in_the_prediction_model_is_no_problem(folder):
    replace_in_step(folder, ".toml", 'model = "headwise-h8"', 'model = "headwise-h1"')
    assert not any("IndexError" in mistake for mistake in problems_of(folder))


def test_a_problem_on_the_last_page_does_not_affect_the_steps(folder):
    file = folder / "multi-head-attention" / "lesson.toml"
    text = file.read_text(encoding="utf-8").replace("of them is *for*", "of them is {nobody}")
    file.write_text(text, encoding="utf-8")
    library = load_lessons(folder, MODELS)
    assert library.lessons[0].config.end is None
    assert len(library.lessons[0].steps) == 7
    assert "unknown field {nobody}" in str(library.issues[0])


def test_a_missing_key_is_reported_at_the_line_of_its_table():
    source = (
        'title = "x"\n[defaults]\ntext = "t"\n\n[predict]\nmodel = "m"\n[check]\nquestion = 1\n'
    )
    assert line_of(source, ("defaults", "model")) == 2
    assert line_of(source, ("predict", "question")) == 5
    assert line_of(source, ("predict", "model")) == 6


def test_half_a_step_is_a_problem(folder):
    (folder / "multi-head-attention" / "08-more.md").write_text("::lab\n", encoding="utf-8")
    assert problems_of(folder) == [
        "multi-head-attention/08-more.toml:1: is missing; a step is a .md and a .toml"
    ]


def test_a_gap_in_the_numbers_is_a_problem(folder):
    for file in (folder / "multi-head-attention").glob("07-*"):
        file.rename(file.with_name(file.name.replace("07-", "09-")))
    assert "steps are numbered [1, 2, 3, 4, 5, 6, 9]" in problems_of(folder)[0]


def test_the_command_reports_every_problem_and_fails(folder):
    command = [sys.executable, "-m", "app.lesson", str(folder)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    line = replace_in_step(folder, ".toml", "minutes = 1.5", "minutes = 0")
    outcome = subprocess.run(command, capture_output=True, check=False, text=True)
    assert outcome.returncode == 1
    assert f"{STEM}.toml:{line}: minutes" in outcome.stderr
    assert "6 steps without issues in 1 lesson" in outcome.stdout


def test_the_line_of_a_repeated_table_is_counted():
    source = "[check]\n[[check.options]]\nid = 1\n[[check.options]]\nid = 2\n"
    assert line_of(source, ("check", "options", 0, "id")) == 3
    assert line_of(source, ("check", "options", 1, "id")) == 5

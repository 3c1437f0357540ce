"""What the texts and numbers of the lessons in lessons/ promise."""

import re

import pytest

from app.lesson import PREDICTIONS, PredictionInput
from app.lesson.selection import Selection
from tests.shipped import LESSONS_FOLDER, LIBRARY
from tests.web.html import parse_html

LESSONS = [pytest.param(lesson, id=lesson.slug) for lesson in LIBRARY.lessons]
STEPS = [
    pytest.param(step, id=f"{lesson.slug}/{step.slug}")
    for lesson in LIBRARY.lessons
    for step in lesson.steps
]
MULTI_HEAD_ATTENTION = "multi-head-attention"


@pytest.fixture
def multi_head_attention():
    return next(each for each in LIBRARY.lessons if each.slug == MULTI_HEAD_ATTENTION)


def test_there_is_no_issue():
    assert LIBRARY.issues == ()


@pytest.mark.parametrize("lesson", LESSONS)
def test_steps_are_numbered_from_one_and_all_written(lesson):
    numbers = [entry.number for entry in lesson.outline]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [step.number for step in lesson.steps] == numbers


@pytest.mark.parametrize("step", STEPS)
def test_the_computed_answer_on_the_default_sentence_is_the_declared_one(step, models):
    defaults, predict = step.config.defaults, step.config.predict
    selection = Selection(
        models[defaults.model].tokenizer.sentence(defaults.text),
        models[predict.model or defaults.model],
        defaults.layer,
        defaults.head,
        defaults.word,
    )
    inputs = PredictionInput(selection, models, predict.options)
    assert PREDICTIONS[predict.computed_by].answer(inputs).right == (predict.declared,)


@pytest.mark.parametrize("step", STEPS)
def test_no_backslash_is_left_of_any_formula(step):
    segments = step.before_lab + step.after_lab
    assert any(segment.html for segment in segments)
    assert all("\\" not in segment.html for segment in segments)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_right_option_of_a_check_is_not_always_in_the_same_place(lesson):
    places = [[option.right for option in step.check_options].index(True) for step in lesson.steps]
    n_options = min(len(step.check_options) for step in lesson.steps)
    assert set(places) == set(range(n_options))


OWN_SOURCE = re.compile(r"Headwise itself|Computed on this page")
PUBLISHED_SOURCE = re.compile(r"[A-Z][\w&., -]+ (19|20)\d\d, (\*[^*]+\*|table|section)", re.UNICODE)


@pytest.mark.parametrize("step", STEPS)
def test_every_citation_names_a_paper_and_section_or_its_computation(step):
    assert step.config.citations
    for citation in step.config.citations:
        assert OWN_SOURCE.search(citation.source) or PUBLISHED_SOURCE.search(citation.source), (
            citation.source
        )
        for file in re.findall(r"\*((?:app|training)/[\w./]+)\*", citation.source):
            assert (LESSONS_FOLDER.parent / file).is_file()


@pytest.mark.parametrize("step", STEPS)
def test_links_in_citations_work(client, step):
    for citation in step.config.citations:
        for address in re.findall(r"\]\((/[^)]*)\)", citation.source):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_end_asks_about_steps_in_their_order(lesson):
    if lesson.config.end:
        steps = [question.step for question in lesson.config.end.recall]
        assert steps == sorted(steps)
        assert all(lesson.step(str(number)) for number in steps)


def test_the_end_of_multi_head_attention_asks_about_three_steps(multi_head_attention):
    recall = multi_head_attention.config.end.recall
    assert [multi_head_attention.step(str(question.step)).slug for question in recall] == [
        "rows-ask-columns-answer",
        "project-do-not-slice",
        "concatenate-then-mix",
    ]


PUBLISHED_FIGURES = {
    "same-budget-thinner-heads": "24.9 25.5 25.8 25.4 5.29 5.00 4.92 4.91 5.01",
    "measure-before-you-name": "94.3 51.7 86.8 40.0 80.5 47.7 34.5 26.3 65 52 69",
    "heads-in-real-models": "47.2 47.1 46.6 1.51 0.28 0.24 38 48 0.15 8 96",
}
"""Copied by hand from the papers: Vaswani 2017, table 3 A; Clark 2019, tables 1 and 2; Ainslie
2023, table 1, Voita 2019, abstract, and Michel 2019, section 3."""


@pytest.mark.parametrize("slug", PUBLISHED_FIGURES)
def test_figures_of_papers_are_as_published(slug):
    (file,) = (LESSONS_FOLDER / MULTI_HEAD_ATTENTION).glob(f"??-{slug}.md")
    figures = set(re.findall(r"\d+(?:\.\d+)?", file.read_text(encoding="utf-8")))
    assert set(PUBLISHED_FIGURES[slug].split()) <= figures


WHO_READS_WHOM = """
8-11 | a determiner reads its noun | 94.3 | 51.7
8-10 | an object reads its verb | 86.8 | 40.0
7-6 | a possessive reads its noun | 80.5 | 47.7
"""
"""Clark 2019, table 1: the dependent word reads the word that it depends on."""


def test_the_table_of_heads_in_bert_says_who_reads_whom():
    (file,) = (LESSONS_FOLDER / MULTI_HEAD_ATTENTION).glob("??-measure-before-you-name.md")
    prose = file.read_text(encoding="utf-8")
    assert all(f"| {row} |" in prose for row in WHO_READS_WHOM.strip().splitlines())


def test_rules_are_above_the_best_head_for_coreference():
    """Clark 2019, table 2: 69 % for rules, 65 % for head 5-4, 52 % for the nearest match."""
    (file,) = (LESSONS_FOLDER / MULTI_HEAD_ATTENTION).glob("??-measure-before-you-name.md")
    table = file.read_text(encoding="utf-8").partition("| Method | Right, % |")[2]
    assert re.findall(r"\| (\d\d) \|", table)[:3] == ["69", "65", "52"]


REAL_MODEL_SIZES = {
    "Mistral 7B": (32, 32, 8, 128),
    "Llama 3 8B": (32, 32, 8, 128),
    "Llama 3 70B": (80, 64, 8, 128),
    "Llama 3 405B": (126, 128, 8, 128),
    "GPT-3 175B": (96, 96, 96, 128),
    "GPT-2, smallest": (12, 12, 12, 64),
    "PaLM 540B": (118, 48, 1, 256),
}


def test_real_models_have_their_published_sizes(multi_head_attention):
    rows = multi_head_attention.step("heads-in-real-models").config.lab.options["real_models"]
    assert {
        row["name"]: (row["layers"], row["heads"], row["kv_heads"], row["d_head"]) for row in rows
    } == REAL_MODEL_SIZES


def test_texts_of_lessons_are_only_in_their_files():
    python = "".join(
        file.read_text(encoding="utf-8") for file in (LESSONS_FOLDER.parent / "app").rglob("*.py")
    )
    for phrase in ("The cat sat down", "compete", "GPT-3", "Vaswani et al. 2017, *"):
        assert phrase not in python


FIRST_STEP = """
Syntax | Meaning | Place
“cat” is its subject, “down” is its modifier
about a body’s position
“cat” and “down” are its neighbours
in parallel
$W_Q$, $W_K$ and $W_V$
specialise
syntax, others neighbours, similar meanings or what pronouns mean
| Subject–verb | sat → cat
| Verb–modifier | sat → down
| Determiner–noun | The → cat
| Local context |
| One head | 1 |
| Two heads | 2 |
| Eight heads | 8 |
| GPT-3 | 96 a layer |
"""
"""What the first step has to say: three relations of “sat”, four roles, and both tables."""


def test_the_first_step_names_relations_roles_and_numbers_of_heads():
    (file,) = (LESSONS_FOLDER / MULTI_HEAD_ATTENTION).glob("01-*.md")
    prose = " ".join(file.read_text(encoding="utf-8").partition("::check")[0].split())
    first, *others = FIRST_STEP.strip().splitlines()
    missing = [text for text in (*first.split(" | "), *others) if text not in prose]
    assert missing == []


def test_the_lesson_names_difficulty_and_prerequisites(client):
    page = client.get(f"/{MULTI_HEAD_ATTENTION}/why-one-head-is-not-enough").text
    for fact in ("Step 1 of 7", "Intermediate", "about 11.5 minutes", "Softmax, Attention"):
        assert fact in page


def test_the_tables_of_the_first_step_are_shown_with_the_lab(client):
    path = f"/{MULTI_HEAD_ATTENTION}/why-one-head-is-not-enough"
    page = parse_html(client.get(path).text)
    assert len(page.find(".lab").find_all(".lab-tables table")) == 2
    assert not page.find(".after-lab").has("table")
    for query in ("embed=1", "playground=1"):
        assert not parse_html(client.get(f"{path}?{query}").text).has(".lab-tables")


def test_prose_after_the_lab_without_a_table_stays_in_its_column(client):
    path = f"/{MULTI_HEAD_ATTENTION}/rows-ask-columns-answer"
    page = parse_html(client.get(path).text)
    assert page.find(".after-lab").has(".prose")
    assert not page.has(".lab-tables")

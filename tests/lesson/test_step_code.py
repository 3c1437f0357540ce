"""The code of each step runs on its own and prints the numbers of the page."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.attention import metrics, textbook
from app.attention.rope import Rotary
from app.lesson import LabState, Selection
from app.lesson.labs.head_metrics import mean_position_weights
from app.lesson.labs.lab_state import Controls
from app.lesson.labs.output_projection import contribution_lengths
from app.lesson.step_code import EXCERPTS, MAX_NUMBERS, TooManyNumbersError

NUMBER = re.compile(r"-?\d+\.\d*")
LISTING = "".join(Path(module.__file__).read_text("utf-8") for module in (textbook, metrics))


def state_of(models, text="The old owl slept in a tree", model="headwise-h4", word=2, **controls):
    chosen = models[model]
    selection = Selection(chosen.tokenizer.sentence(text), chosen, 0, 1, word)
    return LabState(selection, models, controls=Controls(**controls))


def run(name, state, folder):
    """What the script prints in a Python that cannot see Headwise."""
    file = folder / "code.py"
    file.write_text(EXCERPTS[name].script(state), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", str(file)],
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


def numbers_in(line):
    return [float(number) for number in NUMBER.findall(line)]


@pytest.mark.parametrize("name", EXCERPTS)
def test_the_code_has_five_to_twelve_lines(name):
    lines = [line for line in EXCERPTS[name].lines.splitlines() if line]
    assert 5 <= len(lines) <= 12
    assert max(map(len, lines)) <= 90


@pytest.mark.parametrize("name", EXCERPTS)
def test_the_code_is_that_of_the_maps(name):
    """Every statement of its functions is in the source that computes the maps."""
    function = EXCERPTS[name].lines.split("\n\n")[0]
    for line in function.splitlines()[1:]:
        statement = line.strip().partition(" = ")[2] or line.strip()
        assert statement in LISTING


@pytest.mark.parametrize("controls", [{}, {"causal": True}])
def test_two_rows_are_those_of_two_heads(models, tmp_path, controls):
    state = state_of(models, **controls)
    lines = run("two-rows", state, tmp_path)
    assert len(lines) == 2
    for head, line in enumerate(lines):
        row = state.trace.weights[head, 2]
        row = row[row > 0]
        assert line.startswith(f"head {head} reads {state.tokens[row.argmax()].text} ")
        np.testing.assert_allclose(numbers_in(line), row, atol=0.006)


@pytest.mark.parametrize("controls", [{}, {"causal": True}])
def test_the_softmax_row_is_the_row_of_the_map(models, tmp_path, controls):
    state = state_of(models, **controls)
    lines = run("softmax-row", state, tmp_path)
    texts = [token.text for token in state.tokens]
    assert [line.split()[0] for line in lines] == texts
    weights = [numbers_in(line)[0] for line in lines]
    np.testing.assert_allclose(weights, state.trace.weights[1, 2], atol=0.006)


@pytest.mark.parametrize("has_rotary", [False, True])
def test_projecting_and_splitting_gives_the_word_that_each_head_reads(
    models, tmp_path, has_rotary, monkeypatch
):
    state = state_of(models, model="headwise-h8")
    if has_rotary:
        W = replace(state.trace.W, rotary=Rotary())
        monkeypatch.setitem(
            state.__dict__, "trace", replace(state.trace, W=W, precomputed_weights=None)
        )
    tops = state.trace.weights[:, 2].argmax(axis=-1)
    assert run("project-and-split", state, tmp_path) == [
        f"head {head} reads {state.tokens[top].text}" for head, top in enumerate(tops)
    ]


def test_the_budget_is_the_same_for_every_number_of_heads(models, tmp_path):
    lines = run("same-budget", state_of(models), tmp_path)
    n = len(state_of(models).tokens)
    assert lines == [
        f"{h} heads: {4 * (128 * 128 + 128)} parameters, {h * n * n} cells" for h in (1, 2, 4, 8)
    ]


def test_what_each_head_adds_has_the_length_of_its_bar(models, tmp_path):
    state = state_of(models)
    lines = run("concat-and-project", state, tmp_path)
    printed = [numbers_in(line)[0] for line in lines]
    np.testing.assert_allclose(
        printed, contribution_lengths(state.trace, state.query_tokens), atol=0.006
    )


def test_before_the_answer_the_code_does_not_say_what_each_head_adds(models, tmp_path):
    state = replace(state_of(models), is_revealed=False)
    lines = run("concat-and-project", state, tmp_path)
    assert "head" not in "\n".join(lines)
    printed = [number for line in lines for number in numbers_in(line)]
    output = state.trace.output[state.query_tokens].ravel()
    np.testing.assert_allclose(printed, output, atol=0.006)


def test_the_places_that_heads_read_are_those_of_the_lab(models, tmp_path):
    state = state_of(models)
    lines = run("count-places", state, tmp_path)
    expected = mean_position_weights(state)[:2].T
    np.testing.assert_allclose([numbers_in(line) for line in lines], expected, atol=0.006)


@pytest.mark.parametrize("groups", [0, 2, 1])
def test_repeated_keys_give_the_words_that_heads_with_shared_keys_read(models, tmp_path, groups):
    state = state_of(models, model="headwise-h8", groups=groups)
    tops = state.trace.weights[:, 2].argmax(axis=-1)
    assert run("repeat-kv", state, tmp_path) == [
        f"head {head} reads {state.tokens[top].text}" for head, top in enumerate(tops)
    ]


@pytest.mark.parametrize("name", EXCERPTS)
@pytest.mark.parametrize("text", ["Owl", "<b> \\ ' \" \u2028 # owl", "ünïcode " * 12])
def test_the_code_runs_for_every_sentence(models, tmp_path, name, text):
    state = state_of(models, text=text, word=0)
    for each in (state, replace(state, is_revealed=False)):
        assert run(name, each, tmp_path)


def test_what_learners_type_stays_in_texts(models):
    text = "x\u2028import os # '"
    script = EXCERPTS["softmax-row"].script(state_of(models, text=text, word=0))
    assert not any(line.startswith("import os") for line in script.splitlines())
    assert script.isascii()


def test_a_model_too_large_to_be_written_down_is_refused(models, monkeypatch):
    state = state_of(models)
    monkeypatch.setattr("app.lesson.step_code.MAX_NUMBERS", 1_000)
    with pytest.raises(TooManyNumbersError, match=r"more than 1,000\."):
        EXCERPTS["project-and-split"].script(state)
    assert MAX_NUMBERS > 4 * 128 * 128

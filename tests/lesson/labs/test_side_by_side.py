from dataclasses import replace

import numpy as np
import pytest

from app.lesson import LABS
from app.lesson.predictions import Mark
from app.picture import Axis, HeatmapLayout, heatmap, word_strip
from tests.lesson.labs import states


def make_state(models, text="The cat sat down", model="headwise-h4", **selection):
    selection = {"head": 2, "word": 2} | selection
    return states.make_state(models, model, text, lab="side-by-side", **selection)


def run_lab(models, *args, **selection):
    return LABS["side-by-side"].run(make_state(models, *args, **selection))


@pytest.mark.parametrize(("model", "heads"), [("headwise-h2", 2), ("headwise-h8", 8)])
def test_one_head_is_shown_next_to_several(models, model, heads):
    result = run_lab(models, model=model, head=0)
    assert [panel.model.id for panel in result.panels] == ["headwise-h1", model]
    assert [len(panel.heads) for panel in result.panels] == [1, heads]


def test_an_untrained_model_is_shown_next_to_an_untrained_one(models):
    result = run_lab(models, model="headwise-h8-random", head=0)
    assert [panel.model.id for panel in result.panels] == [
        "headwise-h1-random",
        "headwise-h8-random",
    ]


def test_one_head_is_not_shown_next_to_itself(models):
    assert len(run_lab(models, model="headwise-h1", head=0).panels) == 1


def test_only_the_chosen_head_of_the_chosen_model_is_chosen(models):
    chosen = [(p.model.id, f.head) for p in run_lab(models).panels for f in p.heads if f.chosen]
    assert chosen == [("headwise-h4", 2)]


@pytest.mark.parametrize("layer", [0, 1])
def test_every_figure_shows_the_numbers_of_its_own_head_and_layer(models, layer):
    result = run_lab(models, layer=layer)
    words = ["The", "cat", "sat", "down"]
    layout = HeatmapLayout(Axis(words, range(4), [2]))
    for panel in result.panels:
        model = models[panel.model.id]
        maps = model.run(model.tokenizer.sentence("The cat sat down")).weights[layer]
        for head, figure in enumerate(panel.heads):
            weights = maps[head].astype(float)
            row = weights[2]
            assert figure.head == head
            assert figure.map == heatmap(maps[head], layout, name=figure.name)
            assert figure.strip == word_strip(maps[head, 2], words, query=2)
            assert figure.top_word.word == words[row.argmax()]
            assert figure.top_word.weight == pytest.approx(row.max())
            entropy = -np.mean([sum(w * np.log2(w) for w in each) for each in weights])
            assert figure.mean_entropy == pytest.approx(entropy, abs=1e-4)
            query, key = divmod(int(weights.argmax()), 4)
            cell = figure.largest_cell
            assert (cell.query, cell.key) == (words[query], words[key])
            assert cell.weight == pytest.approx(weights.max())
    assert make_state(models).max_entropy == 2
    assert make_state(models).query_word == "sat"


def test_a_repeated_word_is_named_with_its_ordinal(models):
    for figure in run_lab(models, text="cat cat cat", word=0).panels[1].heads:
        assert figure.top_word.ordinal in (1, 2, 3)
        assert figure.top_word.is_self == (figure.top_word.ordinal == 1)


def test_a_single_word_attends_only_to_itself(models):
    (single_head_panel, _) = run_lab(models, text="Stop", word=0, head=0).panels
    (figure,) = single_head_panel.heads
    assert (figure.top_word.word, figure.top_word.weight, figure.top_word.is_self) == (
        "Stop",
        1,
        True,
    )
    assert figure.mean_entropy == 0


@pytest.mark.parametrize(("n", "scrolls"), [(4, False), (16, False), (17, True), (48, True)])
def test_only_maps_of_long_sentences_scroll(models, n, scrolls):
    assert make_state(models, text="cat " * n, head=0, word=0).heatmap_layout.scrolls is scrolls


def test_a_model_that_cannot_read_the_sentence_is_named(checkpoint_models):
    limit = checkpoint_models["bert"].card.max_tokens
    text = " ".join(["cat"] * (limit - 1))
    state = states.make_state(checkpoint_models, "headwise-h4", text)
    state = replace(state, options={"beside": "bert", "many": "headwise-h8"})
    result = LABS["side-by-side"].run(state)
    assert [panel.model.id for panel in result.panels] == ["headwise-h4"]
    assert result.too_long_for.id == "bert"
    assert run_lab(checkpoint_models).too_long_for is None


def maps_of(rows):
    """Model, head and hidden rows of every map, row by row."""
    return [
        [
            (group.panel.model.id, each.figure.head, [*each.hidden_rows])
            for group in row
            for each in group.maps
        ]
        for row in rows
    ]


def test_one_head_and_four_stand_in_one_row(models):
    (row,) = maps_of(run_lab(models).rows)
    four = [("headwise-h4", head, []) for head in range(4)]
    assert row == [("headwise-h1", 0, []), *four]


def test_more_maps_than_eight_stand_in_rows_of_equal_length_and_size(models):
    result = run_lab(models, model="headwise-h8")
    assert [len(row) for row in maps_of(result.rows)] == [5, 4]
    sizes = {
        each.layout.cells.cell_size for row in result.rows for group in row for each in group.maps
    }
    assert len(sizes) == 1


def test_the_heads_that_the_question_is_about_are_shown_exactly_when_revealed(models):
    state = make_state(models)
    hidden = LABS["side-by-side"].run(replace(state, is_revealed=False))
    assert hidden.many is None
    assert hidden.rows_of_many == []
    assert not hidden.hides_maps
    shown = LABS["side-by-side"].run(state)
    assert maps_of(shown.rows_of_many) == [[("headwise-h8", head, []) for head in range(8)]]


def test_if_the_question_is_about_the_chosen_model_its_maps_are_left_out_until_revealed(models):
    state = make_state(models, model="headwise-h8")
    hidden = LABS["side-by-side"].run(replace(state, is_revealed=False))
    first, second = maps_of(hidden.rows)
    assert first[0] == ("headwise-h1", 0, [])
    assert [rows for _, _, rows in first[1:] + second] == [[0, 1, 2, 3]] * 8
    assert hidden.hides_maps
    shown = LABS["side-by-side"].run(state)
    assert all(rows == [] for row in maps_of(shown.rows) for _, _, rows in row)
    assert shown.many is None
    assert not shown.hides_maps


def test_the_word_that_a_map_picks_is_outlined_by_its_mark(models):
    marks = (Mark("cell", 3, 2, 0, "headwise-h8"), Mark("cell", 3, 2, 1, "headwise-h4"))
    result = LABS["side-by-side"].run(replace(make_state(models), marks=marks))
    drawn = [each.picture for row in result.rows_of_many for each in row[0].maps]
    assert ["marked" in picture for picture in drawn] == [head == 3 for head in range(8)]
    assert 'class="marked"' in result.rows[0][1].maps[3].picture
    assert 'class="marked"' not in result.rows[0][1].maps[2].picture

from dataclasses import replace

import numpy as np
import pytest

from app.lesson.labs.head_figure import draw, head_figures, head_thumbnails, marked_areas
from app.lesson.predictions import Mark
from app.picture import (
    Area,
    HeatmapLayout,
    downsampled_thumbnail,
    format_weight,
    heatmap,
    thumbnail,
    token_links,
)
from tests.lesson.labs.states import layout_of, make_state


def test_each_figure_is_drawn_from_the_weights_of_its_head(models):
    state = make_state(models, layer=1, head=2)
    weights = models["headwise-h4"].run(state.sentence).weights[1]
    for head, figure in enumerate(head_figures(state, state.maps)):
        assert (figure.head, figure.layer, figure.chosen) == (head, 1, head == 2)
        assert figure.map == heatmap(weights[head], layout_of(state), name=figure.name)
        assert figure.thumbnail == thumbnail(weights[head])
        assert figure.kv_group == (head,)


def test_no_head_is_chosen_of_a_model_that_is_not(models):
    figures = head_figures(make_state(models), make_state(models).maps, chosen=False)
    assert not any(figure.chosen for figure in figures)


def test_heads_of_a_group_share_keys(models):
    state = make_state(models, controls={"groups": 2})
    figures = head_figures(state, state.maps)
    assert [figure.kv_group for figure in figures] == [(0, 1), (0, 1), (2, 3), (2, 3)]


def test_the_top_word_adds_up_the_pieces_of_a_split_word(models):
    state = make_state(models, text="a zyzzyva sat", word=2)
    weights = models["headwise-h4"].run(state.sentence).weights[0].astype(float)
    word_of = np.array([token.word for token in state.sentence.tokens])
    for figure in head_figures(state, state.maps):
        row = weights[figure.head][word_of == 2].mean(axis=0)
        totals = [row[word_of == word].sum() for word in range(3)]
        assert figure.top_word.word == ["a", "zyzzyva", "sat"][int(np.argmax(totals))]
        assert figure.top_word.weight == pytest.approx(max(totals), abs=1e-5)


def test_lines_are_drawn_instead_of_maps_on_request(models):
    state = make_state(models, controls={"layout": "lines"})
    weights = models["headwise-h4"].run(state.sentence).weights[0]
    assert [draw(state, each) for each in weights] == [
        token_links(each, state.axis) for each in weights
    ]


def test_small_maps_show_every_head_of_every_layer(models):
    state = make_state(models, layer=1, head=3)
    weights = models["headwise-h4"].run(state.sentence).weights
    rows = head_thumbnails(state)
    assert [len(row) for row in rows] == [4, 4]
    for layer, row in enumerate(rows):
        for head, small_map in enumerate(row):
            assert (small_map.layer, small_map.head) == (layer, head)
            assert small_map.chosen == ((layer, head) == (1, 3))
            assert small_map.picture == downsampled_thumbnail(weights[layer][head])


class TestMarks:
    """Cells, rows and columns that decide an answer are outlined on the map of their head."""

    def test_marks_are_outlined_on_the_map_of_their_head(self, models):
        state = replace(
            make_state(models),
            marks=(Mark("cell", 1, 2, 3, "headwise-h4"), Mark("column", 2, column=0)),
        )
        figures = head_figures(state, state.maps)
        layout, n = layout_of(state), len(state.tokens)
        weights = state.maps
        cell, column = Area(range(2, 3), range(3, 4)), Area(range(n), range(1))
        assert figures[0].map == heatmap(weights[0], layout, name=figures[0].name)
        assert figures[1].map == heatmap(weights[1], layout, [cell], name=figures[1].name)
        assert figures[2].map == heatmap(weights[2], layout, [column], name=figures[2].name)

    def test_marks_of_another_model_are_not_drawn(self, models):
        state = replace(make_state(models), marks=(Mark("cell", 1, 2, 3, "headwise-h8"),))
        assert "marked" not in head_figures(state, state.maps)[1].map

    def test_a_mark_of_a_whole_head_outlines_no_cell(self, models):
        state = replace(make_state(models), marks=(Mark("head", 1),))
        assert [state.is_marked(head) for head in range(4)] == [False, True, False, False]
        assert "marked" not in head_figures(state, state.maps)[1].map

    def test_cells_of_the_typed_sentence_are_not_outlined_on_the_shuffled_one(self, models):
        marks = (Mark("cell", 1, 2, 3), Mark("head", 1))
        state = replace(make_state(models, controls={"shuffled": True}), marks=marks)
        assert state.displayed.marks == marks[1:]

    def test_a_hidden_token_is_not_outlined(self, checkpoint_models):
        state = replace(
            make_state(
                checkpoint_models, "bert", "The cat sat", controls={"hide_special_tokens": True}
            ),
            marks=(Mark("cell", 0, 0, 1), Mark("cell", 0, 1, 3)),
        )
        assert marked_areas(state, 0) == [Area(range(0, 1), range(2, 3))]


def test_one_set_of_keys_is_not_shown_before_the_answer(models):
    state = make_state(models, "headwise-h8", controls={"groups": 1})
    hidden = replace(state, is_revealed=False)
    assert (state.groups, hidden.groups) == (1, 0)
    as_trained = make_state(models, "headwise-h8")
    assert np.array_equal(hidden.maps, as_trained.maps)
    assert not np.allclose(state.maps, as_trained.maps)
    two = replace(make_state(models, "headwise-h8", controls={"groups": 2}), is_revealed=False)
    assert (two.groups, two.group_size) == (2, 4)


@pytest.mark.parametrize("text", ["The cat sat", "the cat saw the cat"])
def test_a_name_says_what_the_asking_word_reads_most(models, text):
    state = make_state(models, text=text, word=1)
    weights = models["headwise-h4"].run(state.sentence).weights[0]
    words = text.split()
    for figure in head_figures(state, state.maps):
        top = int(weights[figure.head, 1].argmax())
        key = "itself" if top == 1 else words[top]
        if words.count(words[top]) > 1 and top != 1:
            key += f" (word {top + 1})"
        number = format_weight(float(weights[figure.head, 1, top]))
        assert figure.name == f"Head {figure.head}: cat reads {key} most, {number}"
        assert f'aria-label="{figure.name}"' in figure.map
        assert figure.name_without([0, 2]) == figure.name
        assert figure.name_without([1]) == f"Head {figure.head}"
        assert "most" not in figure.picture([1]).partition(">")[0]
    rows = head_thumbnails(state)
    for layer, row in enumerate(rows):
        figures = head_figures(
            replace(state, selection=replace(state.selection, layer=layer)), state.all_maps[layer]
        )
        assert [each.name for each in row] == [
            f"Layer {layer}, head{each.name.removeprefix('Head')}" for each in figures
        ]
    names = [each.name for each in head_thumbnails(state, [{2: [1]}, {}])[0]]
    assert names[2] == "Layer 0, head 2"
    assert names[3] == rows[0][3].name


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_maps_side_by_side_are_smaller_and_thumbnails_if_cells_are_too_small(models, columns):
    short, long = (make_state(models, text="cat " * n, word=0) for n in (5, 20))
    layout = HeatmapLayout(short.axis, columns)
    for figure in head_figures(short, short.maps, columns=columns):
        assert figure.map == heatmap(figure.weights, layout, name=figure.name)
    for figure in head_figures(long, long.maps, columns=columns):
        small = downsampled_thumbnail(figure.weights, figure.name)
        assert (figure.map == small) == (columns > 1)

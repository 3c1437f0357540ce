import numpy as np
import pytest

from app.lesson.labs.head_figure import head_figures, head_thumbnails, map_svgs
from app.picture import downsampled_thumbnail, heatmap, thumbnail, token_links
from tests.lesson.labs.states import layout_of, make_state


def test_each_figure_is_drawn_from_the_weights_of_its_head(models):
    state = make_state(models, layer=1, head=2)
    weights = models["headwise-h4"].run(state.sentence).weights[1]
    for head, figure in enumerate(head_figures(state, state.maps)):
        assert (figure.head, figure.layer, figure.chosen) == (head, 1, head == 2)
        assert figure.map == heatmap(weights[head], layout_of(state))
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
    assert map_svgs(state) == [token_links(each, state.axis) for each in weights]


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

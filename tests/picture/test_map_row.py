import re

import pytest

from app.picture import Axis, HeatmapLayout
from app.picture.map_layout import MIN_LABELLED_CELL
from app.picture.map_row import LAB_WIDTH, MAP_GAP, NARROW_WIDTH, narrow_rows, row_layouts


def axis_of(n, letters=5):
    return Axis(["w" * letters] * n, range(n), [0])


@pytest.mark.parametrize("n_maps", [1, 2, 5, 8])
@pytest.mark.parametrize("n", [1, 4, 7, 10, 16, 34, 48])
def test_a_row_of_maps_is_at_most_as_wide_as_the_lab_and_fills_it(n_maps, n):
    layouts = row_layouts([axis_of(n)] * n_maps)
    width = sum(each.width for each in layouts) + MAP_GAP * (n_maps - 1)
    cell = layouts[0].cells.cell_size
    assert width <= LAB_WIDTH or cell == 2
    # One more pixel a cell, labels at the side and labels that extend to the right take the rest.
    assert cell == 40 or width + (n_maps * n) + 140 > LAB_WIDTH or cell == MIN_LABELLED_CELL - 1


def test_all_cells_of_a_row_have_one_size():
    sizes = {each.cells.cell_size for each in row_layouts([axis_of(4), axis_of(7), axis_of(5)])}
    assert len(sizes) == 1


def test_cells_are_at_most_as_large_as_asked():
    (layout,) = row_layouts([axis_of(4)], max_cell=21)
    assert layout.cells.cell_size == 21


def test_only_labelled_maps_have_room_for_labels_of_rows():
    first, second, third = row_layouts([axis_of(4)] * 3, labelled=(0, 2))
    assert first.left == third.left > second.left
    assert second.opening.count('visibility="hidden"') == 1
    assert 'visibility="hidden"' not in first.opening


@pytest.mark.parametrize("n_maps", [1, 2, 4, 8])
@pytest.mark.parametrize("n", [1, 4, 7, 10, 16])
def test_rows_on_phones_fit_with_their_labels(n_maps, n):
    layouts = row_layouts([axis_of(n)] * n_maps)
    in_row, width = narrow_rows(layouts)
    cells = in_row * layouts[0].cells.side + MAP_GAP * (in_row - 1)
    assert layouts[0].left + cells <= 16 * width
    assert in_row == 1 or 16 * width <= NARROW_WIDTH + 16
    assert 1 <= in_row <= n_maps


def test_labels_of_rows_beside_a_map_are_those_of_the_labelled_map():
    labelled, unlabelled = row_layouts([axis_of(4)] * 2)
    for layout in (labelled, unlabelled):
        assert layout.row_labels.count("<text") == 4
        assert "query chosen" in layout.row_labels
    assert [labelled.shows_queries, unlabelled.shows_queries] == [True, False]
    tiny = row_layouts([axis_of(16)] * 8)[1]
    assert tiny.row_labels == ""


def test_only_the_last_map_of_a_row_has_room_for_slanted_labels():
    first, second, third = row_layouts([axis_of(4)] * 3, max_cell=20)
    assert second.width < third.width
    assert first.right == second.right == 2 < third.right


def test_small_cells_have_neither_labels_nor_numbers():
    layouts = row_layouts([axis_of(16)] * 8)
    assert all(each.cells.cell_size < MIN_LABELLED_CELL for each in layouts)
    assert not any(each.has_labels or each.has_numbers for each in layouts)
    assert "<text" not in layouts[0].opening
    # Scripts read no cells of these maps.
    assert "map-thumb" in layouts[0].tag
    assert "map-thumb" not in row_layouts([axis_of(4)])[0].tag


def test_widths_scale_with_the_size_of_type():
    (layout,) = row_layouts([axis_of(4)])
    assert f'width="{layout.width / 16:g}em"' in layout.tag


def test_totals_stand_under_their_columns_and_need_room():
    axis = Axis(["a", "b", "c"], range(3), [1])
    plain = HeatmapLayout(axis, cell_size=30)
    layout = HeatmapLayout(axis, cell_size=30, totals=["1.20", "0.30", "1.50"])
    assert layout.height > plain.height
    assert layout.width == plain.width
    texts = re.findall(r'class="total" x="(\d+)" y="(\d+)">([^<]*)<', layout.closing)
    assert [(int(x) // 30, text) for x, _, text in texts] == [(0, "1.20"), (1, "0.30"), (2, "1.50")]
    assert all(90 < int(y) < 90 + layout.height - plain.height for _, y, _ in texts)
    assert 'class="total' not in plain.closing

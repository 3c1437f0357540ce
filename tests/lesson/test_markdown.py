from hypothesis import given
from hypothesis import strategies as st

from app.lesson.markdown import fill_html, markers, render_inline, segments


def test_prose_is_split_at_its_markers():
    assert [part.kind for part in segments("One.\n\n::lab\n\nTwo.\n\n::check\n")] == [
        "prose",
        "lab",
        "prose",
        "check",
    ]


def test_markers_have_their_line_numbers():
    assert markers("a\n\n::lab\nb ::check\n::predict\n") == [("lab", 3), ("predict", 5)]


def test_tables_align_by_class_and_never_by_inline_style():
    (part,) = segments("| a | b |\n|---|--:|\n| 1 | 2 |\n")
    assert 'class="align-right"' in part.html
    assert "style" not in part.html


def test_a_table_is_a_region_named_by_its_columns():
    (part,) = segments('| "a" | b |\n|---|---|\n| 1 | 2 |\n')
    assert 'aria-label="&quot;a&quot;, b" tabindex="0"' in part.html


def test_html_in_prose_is_text():
    (part,) = segments("a <script>alert(1)</script>")
    assert "<script>" not in part.html


def test_maths_becomes_mathml_without_a_backslash():
    (part,) = segments("$h = 2$ and\n\n$$\\sqrt{d_k}$$\n")
    assert part.html.count("<math") == 2
    assert "\\" not in part.html


@given(st.text())
def test_what_learners_type_is_never_markdown_nor_html(word):
    html = fill_html(render_inline("**{word}** reads"), {"word": word})
    inside = html.removeprefix("<strong><bdi>").removesuffix("</bdi></strong> reads")
    assert not set(inside) & set("<>\"'")
    assert "<em>" not in html

"""HTML with gaps: what learners type stays text, and links that make no sense become text."""

from hypothesis import given
from hypothesis import strategies as st

from app.lesson.live_html import LiveHtml
from app.lesson.markdown import render_inline


def live(markdown):
    return LiveHtml.parse(render_inline(markdown))


def show(params):
    return "/view?" + "&".join(f"{name}={value}" for name, value in params.items())


@given(st.text())
def test_what_learners_type_is_never_markdown_nor_html(word):
    html = live("**{word}** reads").render({"word": word})
    inside = html.removeprefix("<strong><bdi>").removesuffix("</bdi></strong> reads")
    assert not set(inside) & set("<>\"'")
    assert "<em>" not in html


def test_text_without_gaps_is_unchanged():
    html = render_inline("a *b* [c](/d) $x$ [e](#keys)")
    assert not LiveHtml.parse(html).has_gaps
    assert LiveHtml.parse(html).render({}) == html


def test_a_link_that_acts_names_what_it_changes_and_is_an_ordinary_link_without_scripts():
    html = live("Press [**it**](?causal=1&word=2).").render({}, show, "act-3")
    assert html == (
        'Press <a id="act-3-0" class="act" href="/view?causal=1&amp;word=2"'
        ' data-act="causal=1&amp;word=2"><strong>it</strong></a>.'
    )


def test_a_link_to_another_sentence_escapes_it():
    html = live("[small](?text=A+small+dog%26)").render({}, show)
    assert 'data-act="text=A+small+dog%26"' in html


def test_a_link_that_makes_no_sense_is_its_label():
    text = live("Press [**{word}**](?word=9) or [it](?word=1).")
    html = text.render({"word": "<x>"}, lambda params: None if params["word"] == "9" else "/")
    assert html.startswith('Press <strong><bdi>&lt;x&gt;</bdi></strong> or <a id="act-1"')


def test_the_id_of_a_link_does_not_depend_on_the_others():
    text = live("[a](?word=0) [b](?word=1)")
    both = text.render({}, lambda _: "/")
    second = text.render({}, lambda params: "/" if params["word"] == "1" else None)
    assert 'id="act-1"' in both
    assert 'id="act-1"' in second
    assert 'id="act-0"' not in second


def test_an_address_cannot_leave_its_attribute():
    html = live("[a](?word=0)").render({}, lambda _: '/"><script>')
    assert "<script>" not in html

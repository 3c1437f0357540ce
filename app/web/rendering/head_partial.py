"""Heads as pages show them: what `templates/labs/head.html` is filled in with."""

from collections.abc import Callable

from markupsafe import Markup

from app.lesson.labs.head_figure import HeadFigure
from app.picture import format_weight

Kept = Callable[..., Markup]

TEMPLATE = "labs/head.html"


def heads_by(kept: Kept) -> Callable[..., Markup]:
    """A function for templates that fills in one head, as a “figure” with its map, with “lines”
    instead of that, or as a “row” that has only what the chosen word reads.
    """

    def head(
        kind: str, figure: HeadFigure, fixed: str, *, readable: bool, selectable: bool
    ) -> Markup:
        """`readable` if a cursor can read its numbers, `selectable` if its name is a button; that
        is a dead one where it is `fixed`.
        """
        view, read, link = figure.state, figure.top_word, figure.strongest
        card, sharing = view.model.card, figure.kv_group
        is_row = kind == "row"
        return kept(
            TEMPLATE,
            kind,
            figure.chosen,
            readable,
            selectable,
            fixed,
            view.controls.weighted,
            read.is_self,
            read.ordinal is not None,
            len(sharing) > 1,
            not is_row and view.heatmap_layout.scrolls,
            head=figure.head,
            asking=view.query_word,
            word=read.word,
            place=read.ordinal,
            weight=format_weight(read.weight),
            strip=Markup(figure.strip),  # noqa: S704
            map="" if is_row else Markup(figure.map),  # noqa: S704
            model=card.id,
            source=card.kind,
            layer=view.layer,
            first=sharing[0],
            last=sharing[-1],
            query=link.query,
            key=link.key,
            strongest=format_weight(link.weight),
            entropy=f"{figure.mean_entropy:.2f}",
        )

    return head

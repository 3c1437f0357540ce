"""Export options in a URL's query: theme, heat scale and PNG scale."""

from collections.abc import Mapping

from app.exports.figure import PNG_SCALES, ExportOptions
from app.picture.palette import HEATS, THEMES
from app.web.state.query_params import Problem, parse_choice


def parse_export_options(
    query: Mapping[str, str], layout: str, problems: list[Problem]
) -> ExportOptions:
    """Parse the export options in `query`; the first choice of each is its default.

    Appends a Problem for each value that is not a choice.
    """

    def choice(name: str, allowed: tuple[str, ...]) -> str:
        return parse_choice(name, query.get(name, allowed[0]), allowed, problems) or allowed[0]

    return ExportOptions(
        choice("theme", THEMES), choice("heat", HEATS), int(choice("scale", PNG_SCALES)), layout
    )

"""Pages with the results of a study between two markers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

BEGIN, END = "<!-- study: begin -->", "<!-- study: end -->"


def replace_results(page: Path, body: str) -> None:
    """Put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} must hold {BEGIN} and {END}, got no such lines; add them where the results belong")
    page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])

"""The page's tables. Every text that comes from data passes through `text`."""

import html
from collections.abc import Iterable, Sequence

from plumbline.contract.accuracy import MeasureReport
from plumbline.contract.description import interval, percent
from plumbline.contract.records import ProjectedAccuracy, Status, Verdict

VERDICTS = {
    Verdict.DRIFT: '<span class="drift">● drift</span>',
    Verdict.NO_DRIFT: '<span class="calm">○ no drift</span>',
    Verdict.NOT_JUDGED: '<span class="unjudged">– not judged</span>',
}
"""The verdicts as HTML."""


def text(value: object) -> str:
    """Return a value from the data escaped for HTML, empty for None; what UTF-8 cannot hold is replaced."""
    if value is None:
        return ""
    return html.escape(str(value).encode("utf-8", "replace").decode("utf-8"), quote=True)


def p_value(value: float | None) -> str:
    """Return a p-value as HTML, or a dash."""
    if value is None:
        return "–"
    return "&lt; 1e-300" if value < 1e-300 else f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: frozenset[int]) -> str:
    """Return a table of cells that are HTML already; the first cell of each row is its header."""
    header = "".join(f'<th scope="col"{_class(i in numeric)}>{cell}</th>' for i, cell in enumerate(head))
    body = "\n".join(f"<tr>{_row(cells, numeric)}</tr>" for cells in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(cells: Sequence[str], numeric: frozenset[int]) -> str:
    first = f'<th scope="row">{cells[0]}</th>'
    return first + "".join(f"<td{_class(i in numeric)}>{cell}</td>" for i, cell in enumerate(cells[1:], 1))


def _class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def with_interval(found: MeasureReport | ProjectedAccuracy | None, value: float | None) -> str:
    """Return a fraction and its interval as HTML, or that it was not judged."""
    if found is None or found.status is not Status.ESTIMATED or value is None:
        return '<span class="unjudged">not judged</span>'
    return f"<strong>{percent(value)}</strong> <small>({interval(found)})</small>"


def number(value: float | None, form: str = ".3f") -> str:
    """Return a number as HTML, or a dash."""
    return "–" if value is None else format(value, form)


def estimate(value: float | None, lower: float | None, upper: float | None, *, separator: str = " ") -> str:
    """Return a number with its interval as HTML, or a dash."""
    ends = "" if lower is None or upper is None else f"{separator}<small>({lower:.3f} to {upper:.3f})</small>"
    return f"{number(value)}{ends if value is not None else ''}"

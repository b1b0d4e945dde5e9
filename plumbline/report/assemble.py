"""From a folder of drift reports to the page and its plots."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.contract.records import ISOLATION_FOREST_NOTE
from plumbline.report import summary
from plumbline.report.collect import collect
from plumbline.report.page import Plot, render
from plumbline.report.plots import accuracy as plot_accuracy
from plumbline.report.plots import p_values as plot_p_values
from plumbline.report.plots import scores as plot_scores
from plumbline.report.plots.style import INK, inline_svg, plain, plotting, write_png
from plumbline.report.sections.html import text
from plumbline.report.timeline import Event, Timeline, timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "report.html"
_TITLE_LENGTH = 110
_log = logging.getLogger("plumbline.report")


def build(
    results: Path,
    output: Path,
    *,
    truth: Mapping[str, float] | None = None,
    events: Sequence[Event] = (),
    title: str | None = None,
) -> Path:
    """Write ``report.html`` and the plots as PNG into `output`, and return the page's path.

    Equal inputs give equal bytes. Files that are no drift report, and truths and events that no window holds, are
    listed on the page and logged as warnings.

    Parameters
    ----------
    results
        Folder with drift_report.json files at any depth.
    output
        Folder for the page and the plots; made if it does not exist.
    truth
        True accuracy, 0 to 1, by the start of its window (ISO 8601).
    events
        What to mark on the time axis.
    title
        Title of the page; by default it names the endpoint.

    Raises
    ------
    ReportError
        If there is no readable report, or `truth` breaks its rule.
    """
    collected = collect(results)
    line = timeline(collected.reports, truth or {}, events, collected.problems)
    for problem in line.problems:
        _log.warning("left out of the report: %s: %s", problem.what, problem.why)
    output.mkdir(parents=True, exist_ok=True)
    endpoint = collected.reports[0].endpoint
    page, waiting = output / PAGE, output / f".{PAGE}.partial"
    # A failure must leave no earlier page beside plots of this time, nor half a page.
    page.unlink(missing_ok=True)
    waiting.write_text(
        render(line, list(_plots(line, output)), title or f"Drift report{f' of {endpoint}' if endpoint else ''}"),
        encoding="utf-8",
    )
    waiting.replace(page)
    return page


def _plots(line: Timeline, output: Path) -> Iterator[Plot]:
    yield from _plot(line, output, "projected_accuracy", plot_accuracy.draw, summary.accuracy_title(line), _ACCURACY)
    yield from _plot(line, output, "drift_score", plot_scores.draw, summary.scores_title(line), _SCORES)
    yield from _plot(line, output, "p_values", plot_p_values.draw, summary.P_VALUES_TITLE, _P_VALUES)
    yield from _plot(
        line,
        output,
        "isolation_forest_similarity",
        plot_accuracy.draw_isolation_forest,
        summary.ISOLATION_FOREST_TITLE,
        ISOLATION_FOREST_NOTE,
    )


def _plot(
    line: Timeline,
    output: Path,
    name: str,
    draw: "Callable[[Timeline], Figure | None]",
    title: str,
    caption: str,
) -> Iterator[Plot]:
    """Draw one figure, as element of the page and, with its title in it, as file."""
    with plotting(name):
        figure = draw(line)
        if figure is None:
            return
        svg = inline_svg(figure, name, text(f"{title}. {caption}"))
        figure.suptitle(plain(title, _TITLE_LENGTH), x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
        write_png(figure, output / f"{name}.png")
    yield Plot(name.replace("_", "-"), title, caption, svg)


_ACCURACY = (
    "Blue dots: accuracy expected from the model's own calibrated probabilities, with its 95 % interval; no label "
    "of the window used, though labels of earlier ones may move and widen it. Orange band: labels show that the "
    "concept changed. Green squares: realised accuracy by the labels that came, with its 95 % interval; hollow where "
    "more labels may come. Orange: dropped beyond tolerance and chance. Purple triangles: the accuracy if only "
    "the mix of labels moved, where label shift explains the window. Diamonds: true accuracy, where given. "
    "Dashed: accuracy on the labelled test set; dotted: the tolerance below it. Grey: no estimate, numbered by reason. "
    "Dashed verticals: events. Solid green: another model took over."
)
_SCORES = (
    "One panel per feature, all on one scale, first to drift first. Orange dots: windows in which the feature's "
    "verdict is drift. Grey: windows without a verdict. A score is a size, not a verdict: a small sample scatters more."
)
_P_VALUES = (
    "Features down, windows across; the number is −log10 of the adjusted p-value, so 2 is one in a hundred, 10 one "
    "in ten billion. Stronger colour is less likely chance. Orange: the verdict is drift; strong blue: different, "
    "but too little to matter. Hatched: not judged."
)

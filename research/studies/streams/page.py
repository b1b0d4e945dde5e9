"""docs/accuracy.md: the tables of the study of streams, between their own markers."""

from collections.abc import Iterator
from pathlib import Path

from plumbline.contract.verdicts import Verdict
from research.studies.pages import replace_results, table
from research.studies.streams import summary, tables
from research.studies.streams.others import TOOLS
from research.studies.streams.outcomes import RunMode, StreamOutcome
from research.studies.streams.results import StreamStudy

MARKER = "streams"
LATE, NEVER = RunMode(True, 1), RunMode(True, None)


def write(study: StreamStudy, page: Path) -> None:
    """Put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    replace_results(page, "\n\n".join(body(study)), MARKER)


def body(study: StreamStudy) -> Iterator[str]:
    """Yield the paragraphs that stand between the markers."""
    yield _origin(study)
    rows = list(_targets(study.outcomes))
    if rows:
        yield table(["what", "wanted", "measured", ""], rows)
    yield "The accuracy that is expected of a window, and the interval around it:"
    yield tables.coverage(study.outcomes, study.others)
    yield (
        "Stream by stream: intervals that hold the truth of the windows that are not refused, their mean half-width in "
        "points, and the refused ones."
    )
    yield tables.by_stream(study.outcomes)
    if any(one.parts for one in study.outcomes):
        yield tables.parts(study.outcomes)
    yield "What is refused, and how often rightly:"
    yield tables.refusals(study.outcomes)
    yield (
        "Alarms by how much the accuracy fell. What starts work are the verdicts on realised quality and on concept "
        "shift, once labels have come, and on projected accuracy, before they do."
    )
    yield tables.alarms(study.outcomes, study.others)
    yield "What labels show of the concept, by how much the accuracy fell:"
    yield tables.concept(study.outcomes)


def _origin(study: StreamStudy) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    n_windows = len({(one.stream, one.n_rows, one.number) for one in study.outcomes})
    absent = f" Left out, as they were not to be had: {', '.join(study.absent)}." if study.absent else ""
    run = {one.mode for one in study.outcomes} | {one.tool for one in study.others}
    left = [words.replace("*", "") for mode, words in tables.MODE_WORDS.items() if mode not in run]
    left += [tool for tool in TOOLS if tool not in run and tool not in study.absent]
    absent += f" Not run this time: {'; '.join(left)}." if left else ""
    return (
        f"Made by `{study.command}` with seed {study.seed} in {study.seconds / 60:.1f} minutes; {versions}. "
        f"{n_windows:,} windows of: {', '.join(dict.fromkeys(one.stream for one in study.outcomes))}.{absent}"
    )


def _targets(outcomes: summary.Outcomes) -> Iterator[list[str]]:
    late, never = (summary.in_mode(outcomes, mode) for mode in (LATE, NEVER))
    if late:
        kept = summary.estimated(late)
        yield _row("the interval holds the truth, labels one window late", ">=", 0.92, _held(kept))
        yield _row("windows estimated, labels one window late", ">=", 0.90, (len(kept), len(late)))
        width = summary.mean(one.figure.half_width for one in kept)
        if width is not None:
            measured = f"{tables.points(width)} points"
            yield ["mean half-width, labels one window late", "at most 8 points", measured, _said(width <= 0.08)]
    if never:
        yield _row("the interval holds the truth, no labels", ">=", 0.85, _held(summary.estimated(never)))
    if late:
        stands, fell = summary.stands(late), summary.fell(late)
        drifted = summary.drifts(stands, lambda one: one.drift)
        yield _row("drift where the accuracy stands", "<=", 0.30, drifted)
        yield _row("work starts where it fell 3 points", ">=", 0.95, _started(fell))
        yield _row("work starts where it fell less than 2", "<=", 0.05, _started(stands))
        found = summary.counted(fell, lambda one: one.quality is Verdict.DRIFT)
        yield _row("realised quality finds a fall of 3 points", ">=", 0.95, found)


def _held(outcomes: list[StreamOutcome]) -> summary.Counted:
    return summary.covered((one.figure, one.realised) for one in outcomes)


def _started(outcomes: list[StreamOutcome]) -> summary.Counted:
    return summary.counted(outcomes, lambda one: one.starts_work)


def _row(what: str, how: str, wanted: float, found: summary.Counted) -> list[str]:
    n_events, n_windows = found
    is_met = n_events >= wanted * n_windows if how == ">=" else n_events <= wanted * n_windows
    words = "at least" if how == ">=" else "at most"
    return [what, f"{words} {100 * wanted:.0f} %", tables.share_with_interval(found), _said(is_met)]


def _said(is_met: bool) -> str:
    return "met" if is_met else "**not met**"

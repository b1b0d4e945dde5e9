"""drift_report.json files below a folder: read, checked, in the order of their windows."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.names import ReportFile
from plumbline.contract.records import DriftReport


class ReportError(Exception):
    """Raised when there is nothing to report on, or an input to the report breaks its rule."""


@dataclass(frozen=True)
class Problem:
    """A file, or part of an input, that the report leaves out, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Collected:
    """Readable reports in the order of their windows, and what could not be read."""

    reports: tuple[DriftReport, ...]
    problems: tuple[Problem, ...]


def collect(results: Path) -> Collected:
    """Read every drift report below `results`, at any depth.

    Raises
    ------
    ReportError
        If the folder is none, holds no readable report, or holds reports of more than one endpoint or schedule.
    """
    if not results.is_dir():
        raise ReportError(f"the results must be a folder, got {str(results)!r}; name the folder that monitor wrote to")
    kept: dict[tuple[str | None, str | None], tuple[str, DriftReport]] = {}
    problems = []
    for path in sorted(results.rglob(ReportFile.DRIFT_REPORT.value)):
        name = path.relative_to(results).as_posix()
        try:
            report = _checked(DriftReport.from_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(Problem(name, _why(error)))
            continue
        # A window that looked back begins before others: the runs' own windows follow each other.
        own = report.own_window
        key = (own.start, own.end) if own.start else (name, None)
        if key in kept:
            problems.append(Problem(name, f"its window is that of {kept[key][0]}, which is shown"))
        else:
            kept[key] = (name, report)
    reports = tuple(report for _, report in sorted(kept.values(), key=_order))
    _require_one_source(results, reports, problems)
    return Collected(reports, tuple(problems))


def _order(entry: tuple[str, DriftReport]) -> tuple[str, str]:
    name, report = entry
    return (report.own_window.start or "", name)


def _require_one_source(results: Path, reports: Iterable[DriftReport], problems: list[Problem]) -> None:
    sources = sorted({f"{report.endpoint or '-'} / {report.schedule or '-'}" for report in reports})
    if not sources:
        unreadable = f" ({len(problems)} unreadable: {problems[0].what}: {problems[0].why})" if problems else ""
        raise ReportError(
            f"the results must hold at least one {ReportFile.DRIFT_REPORT}, got none below {str(results)!r}"
            f"{unreadable}; run plumbline monitor with --output below that folder first"
        )
    if len(sources) > 1:
        raise ReportError(
            f"the results must be of one endpoint and schedule, got {', '.join(sources)}; name the folder of one"
        )


def _why(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else ""
    return f"not a drift report: {type(error).__name__}{f': {text}' if text else ''}"


def _checked(report: DriftReport) -> DriftReport:
    """Return the report if its numbers are finite, and its window has times; JSON readers let NaN through."""
    try:
        report.to_json()
    except ValueError as error:
        raise ValueError(f"its numbers must be finite or null: {error}") from error
    try:
        _ = [report.own_window, *(one.own_window for one in report.quality.windows)]
    except ValueError as error:
        raise ValueError(f"its windows must be hours_added longer than the runs' own: {error}") from error
    return report

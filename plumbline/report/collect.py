"""drift_report.json files below a folder: read, checked, in the order of their windows."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from contract.names import ReportFile
from contract.records import DriftReport, FeatureReport
from plumbline.report.errors import ReportError


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
        key = (report.window.start, report.window.end) if report.window.start else (name, None)
        if key in kept:
            problems.append(Problem(name, f"its window is that of {kept[key][0]}, which is shown"))
        else:
            kept[key] = (name, report)
    reports = tuple(report for _, report in sorted(kept.values(), key=_order))
    _require_one_source(results, reports, problems)
    return Collected(reports, tuple(problems))


def _order(entry: tuple[str, DriftReport]) -> tuple[str, str]:
    name, report = entry
    return (report.window.start or "", name)


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
    """Return the report if each number is one; JSON readers let NaN and text in number's place through."""
    for feature in _all_features(report):
        _require_text("name", feature.name)
        _require_numbers(f"feature {feature.name}", _numbers(feature))
    projected = report.projected_accuracy
    _require_numbers("projected_accuracy", {name: getattr(projected, name) for name in _ACCURACY_NUMBERS})
    similarity = report.isolation_forest_similarity.relative_difference_percent
    _require_numbers("isolation_forest_similarity", {"relative_difference_percent": similarity})
    _require_numbers("records", {"n_rows": report.n_rows, **report.records.rejected})
    _require_numbers("multivariate", {name: getattr(report.multivariate, name) for name in _MULTIVARIATE_NUMBERS})
    _require_numbers("recent", {"n_windows": report.recent.n_windows, "n_rows": report.recent.n_rows})
    _require_numbers("segments", {segment.value: segment.n_rows for segment in report.segments})
    _require_numbers("parts", _shares(report))
    for name in ("start", "end"):
        if getattr(report.window, name) is not None:
            _require_text(f"window {name}", getattr(report.window, name))
    return report


_MULTIVARIATE_NUMBERS = ("area_under_curve", "p_value", "n_reference", "n_window")
_ACCURACY_NUMBERS = ("estimate", "lower", "upper", "reference", "drop")
_PART_SHARES = ("reference_share", "window_share")
_FEATURE_NUMBERS = tuple(field.name for field in fields(FeatureReport) if field.type in {float | None, int | None})


def _all_features(report: DriftReport) -> Iterator[FeatureReport]:
    yield from (*report.features, report.prediction, *report.recent.features)
    for segment in report.segments:
        yield from segment.features


def _shares(report: DriftReport) -> Mapping[str, Any]:
    parts = [(feature.name, part) for feature in _all_features(report) for part in feature.parts]
    return {f"{name} {part.label} {share}": getattr(part, share) for name, part in parts for share in _PART_SHARES}


def _numbers(feature: FeatureReport) -> Mapping[str, Any]:
    return {name: getattr(feature, name) for name in _FEATURE_NUMBERS}


def _require_numbers(where: str, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value is not None and not number:
            raise ValueError(f"{where}: {name} must be a number or null, got {value!r}")


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {value!r}")

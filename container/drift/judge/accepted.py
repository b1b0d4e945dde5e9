"""Accepted windows: taking them as a reference, finding them in a run, and what differs from training all the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plumbline.contract.accepted import Acceptance, moment
from plumbline.contract.accuracy import Shift
from plumbline.contract.names import ReportFile
from plumbline.contract.quality import ShiftReport
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import AcceptedReport, FeatureReport, Verdict, WindowBounds
from plumbline.drift.data.documents import sha256
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.judge.comparison import RunContext, Sample, design_effects, judge
from plumbline.drift.judge.verdict import PREDICTION, too_few
from plumbline.drift.judge.window_counts import StoredWindow, merged, read_window_counts
from plumbline.drift.read.folder import oddity, printable
from plumbline.drift.reference.accepted import (
    Accepted,
    AcceptedWindows,
    Undone,
    is_later,
    read_record,
    record_files,
    said_at,
)
from plumbline.drift.reference.baseline import Baseline, identity_of
from plumbline.drift.reference.blocks import Blocks
from plumbline.drift.settings.policy import Policy

SameModel = Callable[[WindowBounds], bool]


def take(
    folder: Path, acceptance: Acceptance, baseline: Baseline, policy: Policy, same_model: SameModel = lambda _: True
) -> AcceptedWindows:
    """Return the counts of the accepted windows, added up from the files that runs left of them below a folder.

    The files must cover the windows' times without a gap. Probabilities are those of the windows that the same model
    answered.

    Raises
    ------
    ValueError
        If a time is not covered, a window cannot be a reference, or a feature is none of the baseline's; the text says
        what to do.
    """
    specs = _chosen(baseline.specs, acceptance)
    files = _stored(folder, acceptance.windows)
    windows = [one for times in acceptance.windows for one in _covering(files, times)]
    for one in windows:
        _require_fit(one, baseline.specs, policy)
    filled = [one for one in windows if one.n_rows]
    n_rows = sum(one.n_rows for one in filled)
    few = too_few(n_rows, policy) if filled else ReasonCode.WINDOW_WITHOUT_ROWS.reason()
    if few:
        raise ValueError(f"the windows {acceptance.times} must be a reference, got {few}; accept more hours")
    of_model = [one.probabilities for one in filled if acceptance.has_prediction and same_model(one.bounds)]
    probabilities = merged(of_model) if of_model else None
    return AcceptedWindows(
        acceptance=acceptance,
        n_windows=len(windows),
        n_rows=n_rows,
        specs=specs,
        columns={spec.name: merged([one.columns[spec.name] for one in filled]) for spec in specs},
        probabilities=probabilities if probabilities and probabilities.n_present else None,
        baseline=identity_of(baseline),
        model=None,
        identity=sha256(acceptance.to_json()),
    )


def window_from(folder: Path, start: str) -> WindowBounds:
    """Return the bounds of the one window that begins at a time, of those that runs left below a folder.

    Raises
    ------
    ValueError
        If there is none, or more than one.
    """
    wanted = moment(start)
    files = _stored(folder, ())
    found = sorted({one.bounds for one in files.windows if _moments(one.bounds)[0] == wanted}, key=str)
    if len(found) == 1:
        return found[0]
    if found:
        ends = ", ".join(str(one.end) for one in found)
        raise ValueError(f"--window {start} must name one window, got some that end at {ends}; write START/END")
    raise ValueError(f"--window {start} must be the start of a window with a report, got none{_known(files)}")


def _chosen(specs: Sequence[FeatureSpec], acceptance: Acceptance) -> tuple[FeatureSpec, ...]:
    unknown = sorted(set(acceptance.features) - {spec.name for spec in specs})
    if unknown:
        known = ", ".join(spec.name for spec in specs)
        raise ValueError(f"features must be the baseline's, got {unknown[0]!r}; choose among {known}")
    return tuple(spec for spec in specs if not acceptance.features or spec.name in acceptance.features)


@dataclass(frozen=True, eq=False)
class _Stored:
    windows: tuple[StoredWindow, ...]
    skipped: tuple[str, ...]


def _stored(folder: Path, within: Sequence[WindowBounds]) -> _Stored:
    """Return the windows with times whose counts are below a folder; those outside of `within` are left out, if any."""
    root, found, skipped = folder.resolve(), {}, []
    for path in sorted(path for path in folder.rglob("*") if path.name == ReportFile.WINDOW_COUNTS):
        name = printable(path.relative_to(folder).as_posix())
        if odd := oddity(path, folder, root):
            skipped.append(f"{name}: {odd}")
            continue
        try:
            window = read_window_counts(path.read_bytes().decode())
            if window.bounds.start is None or window.bounds.end is None:
                continue
            if not within or any(_is_within(window.bounds, times) for times in within):
                # A window that was run again counts once.
                found[window.bounds] = window
        except (OSError, ValueError, RecursionError) as error:
            skipped.append(f"{name}: {error}")
    return _Stored(tuple(found.values()), tuple(skipped))


def _moments(bounds: WindowBounds) -> tuple[object, object]:
    return moment(str(bounds.start)), moment(str(bounds.end))


def _is_within(bounds: WindowBounds, times: WindowBounds) -> bool:
    return moment(str(times.start)) <= moment(str(bounds.start)) and moment(str(bounds.end)) <= moment(str(times.end))


def _covering(files: _Stored, times: WindowBounds) -> tuple[StoredWindow, ...]:
    """Return windows that follow each other from the start of the times to their end."""
    start, end = moment(str(times.start)), moment(str(times.end))
    reached: dict[object, tuple[StoredWindow, ...]] = {start: ()}
    for window in sorted(files.windows, key=lambda one: moment(str(one.bounds.end))):
        first, last = _moments(window.bounds)
        if first in reached and last not in reached and _is_within(window.bounds, times):
            reached[last] = (*reached[first], window)
    if end in reached:
        return reached[end]
    furthest = max(reached, key=lambda time: len(reached[time]))
    until = f"{reached[furthest][-1].bounds.end}" if reached[furthest] else str(times.start)
    raise ValueError(
        f"the windows from {times.start} to {times.end} must each have left their counts, got none that begins at "
        f"{until} and ends by {times.end}; choose times at which windows begin and end, or run the monitor for those "
        f"that are missing{_known(files)}"
    )


def _known(files: _Stored) -> str:
    bounds = sorted((one.bounds for one in files.windows), key=_moments)
    known = f"; there are {len(bounds)} windows from {bounds[0].start} to {bounds[-1].end}" if bounds else ""
    return f"{known}; skipped {files.skipped[0]}" if files.skipped else known


def _require_fit(window: StoredWindow, specs: Sequence[FeatureSpec], policy: Policy) -> None:
    name = f"the window {window.bounds.start} to {window.bounds.end}"
    if window.n_rows and tuple(window.specs) != tuple(specs):
        lacks = sorted({spec.name for spec in specs} - {spec.name for spec in window.specs})
        what = f"no {', '.join(lacks)}" if lacks else "others"
        raise ValueError(f"{name} must have the baseline's features, got {what}; accept windows of this model alone")
    if window.rejected_fraction > policy.maximum_rejected_fraction:
        raise ValueError(
            f"{name} must be a reference, got {100 * window.rejected_fraction:.1f} % of its records rejected, which "
            "leaves a selection; accept windows without it"
        )


@dataclass(frozen=True)
class AcceptedFiles:
    """Where a run finds what was accepted.

    `records` is the folder that the command writes to, which need not exist; `stated` the file of what the environment
    accepts, whose windows' counts are below `reports`. `failure` is the error that kept any of it from being fetched.
    """

    records: Path | None = None
    stated: Path | None = None
    reports: Path | None = None
    failure: str | None = None


def find_accepted(
    files: AcceptedFiles,
    bounds: WindowBounds,
    baseline: Baseline,
    policy: Policy,
    same_model: SameModel = lambda _: True,
    model: str | None = None,
) -> Accepted:
    """Return what is the reference of a window in place of the training data.

    What was said last counts, by the command or by the file of the environment. It is not used in a window that begins
    before the accepted ones end, nor with another baseline than it was accepted in place of. What should be used and
    cannot be is warned of: the window is judged against the training data, as if nothing had been accepted.

    Parameters
    ----------
    bounds
        Those of the run's own window; one without times comes after every other.
    same_model
        Whether the model that answered this window alone answered another one too.
    model
        Artifact of the model that answered this window; None: not known.
    """
    try:
        if files.failure:
            raise ValueError(files.failure)
        last, stated = _last_record(files.records), _statement(files.stated)
        if last is not None and (stated is None or not is_later(stated.at, said_at(last))):
            return _of_record(last, bounds, baseline, policy, model)
        return Accepted() if stated is None else _of_statement(stated, files, bounds, baseline, policy, same_model)
    except (OSError, ValueError, RecursionError) as error:
        return _unusable(AcceptedReport(), str(error))


def _last_record(folder: Path | None) -> AcceptedWindows | Undone | None:
    files = record_files(folder) if folder else []
    if not files:
        return None
    try:
        return read_record(files[-1].read_bytes().decode())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{files[-1].name}: {error}; accept the windows again, or undo it") from error


def _statement(file: Path | None) -> Acceptance | None:
    if file is None:
        return None
    try:
        return Acceptance.from_json(file.read_bytes().decode())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file.name}: {error}; correct the section [accepted] of the environment file") from error


def stated_windows(file: Path) -> tuple[WindowBounds, ...]:
    """Return the times that the file of an environment accepts; none where it cannot be read, which the run reports."""
    try:
        stated = _statement(file)
    except ValueError:
        return ()
    return stated.windows if stated else ()


def _of_record(
    record: AcceptedWindows | Undone, bounds: WindowBounds, baseline: Baseline, policy: Policy, model: str | None
) -> Accepted:
    if isinstance(record, Undone):
        return Accepted()
    report, at = _reported(record.acceptance), record.acceptance.at
    if record.baseline != identity_of(baseline):
        why = ReasonCode.ACCEPTED_ENDED.reason(at=day(at), other="another baseline, and a new one is a new reference")
        return Accepted(report=replace(report, reason=why))
    if early := _too_early(record.acceptance, bounds):
        return Accepted(report=replace(report, reason=early))
    if not record.names <= {spec.name for spec in baseline.specs}:
        return _unusable(report, "its features are not the baseline's")
    if few := too_few(record.n_rows, policy):
        return _unusable(report, f"the accepted windows have {few}; accept more hours")
    is_of_model = None in {model, record.model} or model == record.model
    return _in_force(record if is_of_model else replace(record, probabilities=None))


def _of_statement(
    stated: Acceptance,
    files: AcceptedFiles,
    bounds: WindowBounds,
    baseline: Baseline,
    policy: Policy,
    same_model: SameModel,
) -> Accepted:
    report = _reported(stated)
    if early := _too_early(stated, bounds):
        return Accepted(report=replace(report, reason=early))
    if not all(map(same_model, stated.windows)):
        why = ReasonCode.ACCEPTED_ENDED.reason(
            at=day(stated.at), other="another model, whose baseline is a new reference"
        )
        return Accepted(report=replace(report, reason=why))
    if files.reports is None:
        return _unusable(report, "there is no folder of reports to read the accepted windows from")
    try:
        return _in_force(take(files.reports, stated, baseline, policy, same_model))
    except ValueError as error:
        return _unusable(report, str(error))


def _too_early(acceptance: Acceptance, bounds: WindowBounds) -> Reason | None:
    if bounds.start is None or moment(bounds.start) >= moment(acceptance.end):
        return None
    return ReasonCode.ACCEPTED_LATER.reason(at=day(acceptance.at), end=acceptance.end)


def _reported(acceptance: Acceptance) -> AcceptedReport:
    return AcceptedReport(
        windows=acceptance.windows,
        accepted_at=acceptance.at,
        accepted_by=acceptance.by,
        stated_reason=acceptance.reason,
        accepted_features=acceptance.features,
        accepted_prediction=acceptance.has_prediction,
    )


def _unusable(report: AcceptedReport, why: str) -> Accepted:
    reason = ReasonCode.ACCEPTED_UNUSABLE.reason(why=why)
    return Accepted(report=replace(report, reason=reason), warning=reason)


def _in_force(windows: AcceptedWindows) -> Accepted:
    report = replace(
        _reported(windows.acceptance),
        is_used=True,
        n_windows=windows.n_windows,
        n_rows=windows.n_rows,
        accepted_features=tuple(spec.name for spec in windows.specs),
        accepted_prediction=windows.probabilities is not None,
    )
    return Accepted(windows=windows, report=report)


def with_accepted(reference: Sample, accepted: Accepted, blocks: Blocks | None) -> Sample:
    """Return the reference with the counts of accepted windows in place of its own, as far as there are any.

    Parameters
    ----------
    blocks
        What the baseline knows of rows that come in blocks: those of the accepted windows may be of another size.
    """
    windows = accepted.windows
    if windows is None:
        return reference
    has_prediction = windows.probabilities is not None
    effects = design_effects(blocks, windows.columns, windows.n_rows, windows.columns)
    known = {name: effect for name, effect in effects.items() if name in windows.names or has_prediction}
    found = replace(
        reference,
        columns={**reference.columns, **windows.columns},
        design_effects={**reference.design_effects, **known},
    )
    return replace(found, probabilities=windows.probabilities, no_probabilities=None) if has_prediction else found


def accepted_note(accepted: Accepted) -> Reason | None:
    """Return what a verdict rests on besides the training data, or None."""
    windows = accepted.windows
    if windows is None:
        return None
    named = [spec.name for spec in windows.specs] if windows.acceptance.features else []
    named += [PREDICTION] if named and windows.probabilities is not None else []
    judged = f"{', '.join(named)} judged" if named else "judged"
    return ReasonCode.JUDGED_AGAINST_ACCEPTED.reason(judged=judged, at=day(windows.acceptance.at))


def shifts_with_accepted(shifts: tuple[ShiftReport, ...], accepted: AcceptedReport) -> tuple[ShiftReport, ...]:
    """Return the shifts; covariate shift that was accepted is none, and says so."""
    if not accepted.features or accepted.accepted_at is None:
        return shifts
    names = ", ".join(feature.name for feature in accepted.features)
    reason = ReasonCode.ACCEPTED_SHIFT.reason(names=names, at=day(accepted.accepted_at))
    return tuple(
        replace(one, reason=reason) if one.shift is Shift.COVARIATE and one.verdict is Verdict.NO_DRIFT else one
        for one in shifts
    )


def day(at: str) -> str:
    """Return the date of a time."""
    return at.partition("T")[0]


def accepted_report(
    specs: Sequence[FeatureSpec], training: Sample, window: Sample, context: RunContext
) -> AcceptedReport:
    """Return what was accepted, with the accepted features that still drift from the training data.

    It is a family of tests of its own, and none of the window's verdict.
    """
    accepted = context.accepted
    if accepted.windows is None or context.not_judged:
        return accepted.report
    found = judge(specs, training, window, context, where=" against the training data")
    return replace(
        accepted.report,
        features=tuple(one for one in found.features if one.name in accepted.windows.names and _drifts(one)),
        prediction=found.prediction
        if accepted.report.accepted_prediction and found.prediction.verdict is Verdict.DRIFT
        else None,
    )


def _drifts(feature: FeatureReport) -> bool:
    return feature.verdict is Verdict.DRIFT and feature.violation is None

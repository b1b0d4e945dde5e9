"""The windows that labels are waited for, read again and judged with what has come."""

import logging
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from contract.quality import QualityReport, WindowQuality
from contract.reasons import Reason, ReasonCode, failure, joined
from contract.records import MODEL_CHANGED, WindowBounds
from contract.training import Task, ordered
from drift.capture import capture_files
from drift.errors import ConfigError, PublishError
from drift.ground_truth.evidence import Projection
from drift.ground_truth.join import JoinedWindow, join
from drift.ground_truth.labels import Classes, LabelBook
from drift.ground_truth.merged import write_merged
from drift.ground_truth.quality import judge_quality
from drift.judgement import RunContext
from drift.kernel.plan import Plan
from drift.learned import Baseline
from drift.settings import GroundTruth
from drift.sources import Connect, fetch_hour, fetch_hours, is_s3, store_folder
from drift.times import HOUR, format_time, parse_time

_LOG = logging.getLogger(__name__)

Files: TypeAlias = Mapping[str, Path]
"""Files by name."""
Captures: TypeAlias = Callable[[WindowBounds], AbstractContextManager[Files]]
"""Gives the capture files of a window for as long as they are read."""
Labels: TypeAlias = Callable[[Sequence[WindowBounds]], AbstractContextManager[Files]]
"""Gives the label files that can concern some windows."""
PlanOf: TypeAlias = Callable[[WindowBounds], Plan]
"""Makes the plan of a window."""
SameModel: TypeAlias = Callable[[WindowBounds], bool]
"""Says whether the model that the baseline belongs to alone answered a window."""
Keep: TypeAlias = Callable[[JoinedWindow, Files, Classes], None]
"""Keeps a window's labelled records."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What the windows before this one are read for.

    `keep` writes the labelled records; None: nobody wants them. Windows without the `same_model` are joined and kept,
    and not judged.
    """

    labels: Labels
    captures: Captures
    plan: PlanOf
    keep: Keep | None
    context: RunContext
    same_model: SameModel = lambda _: True


def windows_waited_for(bounds: WindowBounds, lag_hours: int) -> list[WindowBounds]:
    """Return the windows that labels may still come for, and this one, oldest first; all are as long as this one.

    The oldest has been waited for as long as `lag_hours` say, rounded up to whole windows. A window without times is
    the only one.

    Examples
    --------
    >>> found = windows_waited_for(WindowBounds("2026-01-31T13:00:00Z", "2026-01-31T14:00:00Z"), 2)
    >>> [window.start for window in found]
    ['2026-01-31T11:00:00Z', '2026-01-31T12:00:00Z', '2026-01-31T13:00:00Z']
    """
    if bounds.start is None or bounds.end is None:
        return [bounds]
    start, end = parse_time(bounds.start), parse_time(bounds.end)
    length = end - start
    n_windows = math.ceil(lag_hours * HOUR / length)
    return [
        WindowBounds(format_time(start - back * length), format_time(end - back * length))
        for back in range(n_windows, -1, -1)
    ]


def quality_report(bounds: WindowBounds, waiting: Waiting, baseline: Baseline, projection: Projection) -> QualityReport:
    """Join the windows that are waited for with their labels, and judge each.

    The report depends on captures and labels alone: the same files give the same report and the same merged bytes.
    Labels that cannot be read cost only this part of the run, and its reason says so.
    """
    context = waiting.context
    nothing = QualityReport(
        lag_hours=context.label_lag_hours,
        minimum_labelled_fraction=context.min_label_coverage,
        drop_threshold=context.policy.accuracy_tolerance,
        reason=_refusal(baseline),
    )
    if nothing.reason or baseline.test is None:
        return nothing
    book = LabelBook(Classes(ordered(baseline.test.labels)))
    windows = windows_waited_for(bounds, context.label_lag_hours)
    try:
        with waiting.labels(windows) as files:
            book.read((path, name) for name, path in files.items())
        judged, notes = _judge_all(windows, book, waiting, baseline, projection)
    except (ConfigError, OSError) as error:
        return replace(nothing, reason=ReasonCode.LABELS_UNREADABLE.reason(error=error))
    except Exception as error:
        # The verdict on the window stands without its labels.
        return replace(nothing, reason=failure(error))
    return replace(nothing, reason=joined(*notes), labels=book.account(), windows=judged)


def _refusal(baseline: Baseline) -> Reason | None:
    if baseline.test is None:
        return ReasonCode.LABELS_UNKNOWN.reason()
    if baseline.task is Task.REGRESSION:
        return ReasonCode.TARGET_IS_NUMBER.reason()
    return None


def _judge_all(
    windows: Sequence[WindowBounds], book: LabelBook, waiting: Waiting, baseline: Baseline, projection: Projection
) -> tuple[tuple[WindowQuality, ...], list[Reason]]:
    judged: list[WindowQuality] = []
    notes: list[Reason] = []
    for position, window in enumerate(windows):
        # Of several windows the oldest has been waited for long enough; a single one may still get labels.
        is_final = position == 0 and len(windows) > 1
        with waiting.captures(window) as files:
            found = join(((path, name) for name, path in files.items()), waiting.plan(window), window, book)
            notes += _kept(waiting.keep, found, files, book.classes)
        # A baseline says nothing of another model, and an alarm would start retraining for one that is gone.
        context = replace(waiting.context, not_judged=None if waiting.same_model(window) else MODEL_CHANGED)
        judged.append(judge_quality(found, baseline, projection, context, is_final=is_final))
    return tuple(judged), notes


def _kept(keep: Keep | None, joined: JoinedWindow, files: Files, classes: Classes) -> Iterator[Reason]:
    """Keep the labelled records; yield what went wrong."""
    if keep is None or not joined.matches:
        return
    try:
        keep(joined, files, classes)
    except (ConfigError, PublishError, OSError) as error:
        _LOG.warning("captures joined with labels could not be kept: %s", error)
        yield ReasonCode.LABELS_NOT_KEPT.reason(error=error)


_NAMELESS = "endpoint"
"""Stands for the endpoint's name in the layout of merged records where nobody gave it."""


def waiting_of(
    source: GroundTruth,
    *,
    connect: Connect,
    endpoint: str | None,
    plan: PlanOf,
    context: RunContext,
    same_model: SameModel = lambda _: True,
) -> Waiting:
    """Return what the windows before this one are read for."""
    return Waiting(
        labels=labels_of(source.labels, connect),
        captures=captures_of(source.captures, connect),
        plan=plan,
        keep=keep_of(source.merged, endpoint, connect) if source.merged else None,
        context=context,
        same_model=same_model,
    )


def captures_of(source: str, connect: Connect) -> Captures:
    """Return what gives a window's capture files: those of its hours in S3, or all below a folder."""

    @contextmanager
    def given(bounds: WindowBounds) -> Iterator[Files]:
        if not is_s3(source):
            yield _below(Path(source))
            return
        start, end = _times([bounds])
        with tempfile.TemporaryDirectory(prefix="plumbline-") as name:
            folder, hour = Path(name), start.replace(minute=0, second=0, microsecond=0)
            while hour < end:
                fetch_hour(source, hour, folder, connect)
                hour += HOUR
            yield _below(folder)

    return given


def labels_of(source: str, connect: Connect) -> Labels:
    """Return what gives the label files that can concern some windows.

    In S3 they are those collected between the first window's start and the last one's end, so that a run depends on its
    window and not on when it happens; of a folder they are all.
    """

    @contextmanager
    def given(windows: Sequence[WindowBounds]) -> Iterator[Files]:
        if not is_s3(source):
            yield _below(Path(source))
            return
        start, end = _times(windows)
        with tempfile.TemporaryDirectory(prefix="plumbline-") as name:
            # A folder is an hour: of one that ends within the window the whole is read.
            yield _below(fetch_hours(source, start, end + HOUR - timedelta.resolution, Path(name), connect))

    return given


def keep_of(merged: str, endpoint: str | None, connect: Connect) -> Keep:
    """Return what writes a window's labelled records to a folder or below a prefix of S3."""

    def keep(window: JoinedWindow, files: Files, classes: Classes) -> None:
        name = endpoint or _NAMELESS
        if not is_s3(merged):
            write_merged(Path(merged), files, window, classes, name)
            return
        with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
            write_merged(Path(folder), files, window, classes, name)
            store_folder(Path(folder), merged, connect)

    return keep


def _below(folder: Path) -> Files:
    return {name: path for path, name in capture_files(folder)}


def _times(windows: Sequence[WindowBounds]) -> tuple[datetime, datetime]:
    start, end = windows[0].start, windows[-1].end
    if start is None or end is None:
        raise ConfigError("the window must have times for its labels to be found in S3, got none; give start and end")
    return parse_time(start), parse_time(end)

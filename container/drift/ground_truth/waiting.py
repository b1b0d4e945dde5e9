"""The windows that labels are waited for, read again and judged with what has come."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from contract.quality import QualityReport, WindowQuality
from contract.records import MODEL_CHANGED, WindowBounds
from contract.training import Task, ordered
from drift.errors import ConfigError, PublishError
from drift.ground_truth.classes import Classes
from drift.ground_truth.evidence import Projection
from drift.ground_truth.join import JoinedWindow, join
from drift.ground_truth.labels import LabelBook
from drift.ground_truth.quality import judge_quality
from drift.judgement import RunContext, failure
from drift.kernel.plan import Plan
from drift.learned import Baseline
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
        minimum_coverage=context.policy.minimum_labelled_fraction,
        tolerance=context.policy.accuracy_drop_threshold,
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
        return replace(nothing, reason=f"labels or captures could not be read: {error}")
    except Exception as error:
        # The verdict on the window stands without its labels.
        return replace(nothing, reason=failure(error))
    return replace(nothing, reason="; ".join(notes), labels=book.account(), windows=judged)


def _refusal(baseline: Baseline) -> str:
    if baseline.test is None:
        return "the baseline has no labelled test set, which says what labels there are"
    if baseline.task is Task.REGRESSION:
        return "the target is a number: the quality of predicted numbers is not judged"
    return ""


def _judge_all(
    windows: Sequence[WindowBounds], book: LabelBook, waiting: Waiting, baseline: Baseline, projection: Projection
) -> tuple[tuple[WindowQuality, ...], list[str]]:
    judged: list[WindowQuality] = []
    notes: list[str] = []
    for position, window in enumerate(windows):
        # Of several windows the oldest has been waited for long enough; a single one may still get labels.
        is_final = position == 0 and len(windows) > 1
        with waiting.captures(window) as files:
            joined = join(((path, name) for name, path in files.items()), waiting.plan(window), window, book)
            notes += _kept(waiting.keep, joined, files, book.classes)
        # A baseline says nothing of another model, and an alarm would start retraining for one that is gone.
        context = replace(waiting.context, not_judged=None if waiting.same_model(window) else MODEL_CHANGED)
        judged.append(judge_quality(joined, baseline, projection, context, is_final=is_final))
    return tuple(judged), notes


def _kept(keep: Keep | None, joined: JoinedWindow, files: Files, classes: Classes) -> Iterator[str]:
    """Keep the labelled records; what is said is what went wrong."""
    if keep is None or not joined.matches:
        return
    try:
        keep(joined, files, classes)
    except (ConfigError, PublishError, OSError) as error:
        _LOG.warning("captures joined with labels could not be kept: %s", error)
        yield f"captures joined with labels could not be kept: {error}"

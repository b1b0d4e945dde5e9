"""Earlier windows whose labels arrive late: read again, joined with their labels, kept and judged."""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from plumbline.contract.quality import QualityReport, WindowQuality
from plumbline.contract.reasons import Reason, ReasonCode, has_code, joined
from plumbline.contract.records import MODEL_CHANGED, RecordCounts, Verdict, WindowBounds
from plumbline.contract.s3 import is_s3_uri
from plumbline.contract.training import Task, ordered
from plumbline.drift.aws import Connect
from plumbline.drift.data.documents import storing, temporary_folder
from plumbline.drift.data.times import HOUR, format_time, parse_time
from plumbline.drift.errors import ConfigError, PublishError, StorageError
from plumbline.drift.ground_truth.evidence import Projection
from plumbline.drift.ground_truth.join import JoinedVariants, JoinedWindow, join
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.ground_truth.merged import write_merged
from plumbline.drift.ground_truth.quality import judge_quality, numbered
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.variants import undecided
from plumbline.drift.read.capture import capture_files
from plumbline.drift.read.folder import Listing, listed
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.look_back import CapturesInS3
from plumbline.drift.read.s3 import fetch_captures, fetch_hours, store_folder
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.run import LabelSource

_LOG = logging.getLogger(__name__)

Files: TypeAlias = Mapping[str, Path]
"""Files by name."""
Captures: TypeAlias = Callable[[WindowBounds], AbstractContextManager[Files]]
"""Opens the capture files of a window."""
Longer: TypeAlias = Callable[[], AbstractContextManager[Callable[[WindowBounds], Files]]]
"""Opens the capture files of longer and longer windows."""
Labels: TypeAlias = Callable[[Sequence[WindowBounds]], AbstractContextManager[Listing]]
"""Opens the label files that can have labels of some windows."""
SameModel: TypeAlias = Callable[[WindowBounds], bool]
"""Returns whether the model that the baseline belongs to alone answered a window."""
Keep: TypeAlias = Callable[[JoinedWindow, Files, Classes], None]
"""Stores a window's labelled records."""


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """Inputs of judging this window, and those before it, by their labels.

    `plan` is that of this window. `keep` stores the labelled records; None: they are not stored. Windows that another
    model answered, by `same_model`, are joined and stored, but not judged. The oldest window gets at most
    `look_back_hours` before it, of `longer`, where it has too few labelled rows.
    """

    labels: Labels
    captures: Captures
    plan: WindowPlan
    keep: Keep | None
    context: RunContext
    longer: Longer
    look_back_hours: int = 0
    same_model: SameModel = lambda _: True


def windows_awaiting_labels(bounds: WindowBounds, lag_hours: int) -> list[WindowBounds]:
    """Return the windows whose labels may still arrive, and this one, oldest first; all are as long as this one.

    The oldest ended `lag_hours` before this one, rounded up to whole windows. A window without times is the only one.

    Examples
    --------
    >>> found = windows_awaiting_labels(WindowBounds("2026-01-31T13:00:00Z", "2026-01-31T14:00:00Z"), 2)
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


def quality_report(backfill: Backfill, baseline: Baseline, projection: Projection) -> QualityReport:
    """Join this window and those that await labels with the labels that have arrived, and judge each.

    The report depends on captures and labels alone: the same files give the same report and the same merged bytes.
    Labels that cannot be read leave only this part of the report without figures, with the reason.
    """
    context = backfill.context
    nothing = QualityReport(
        lag_hours=context.label_lag_hours,
        minimum_labelled_fraction=context.policy.minimum_labelled_fraction,
        drop_threshold=context.policy.accuracy_drop_threshold,
        reason=_refusal(baseline),
    )
    if nothing.reason or baseline.test is None:
        return nothing
    book = LabelBook(Classes(ordered(baseline.test.labels)))
    windows = windows_awaiting_labels(backfill.plan.bounds, context.label_lag_hours)
    return context.faults.guarded(
        "quality",
        lambda: _joined(nothing, windows, book, backfill, baseline, projection),
        lambda why: replace(nothing, reason=why),
    )


def _joined(
    nothing: QualityReport,
    windows: Sequence[WindowBounds],
    book: LabelBook,
    backfill: Backfill,
    baseline: Baseline,
    projection: Projection,
) -> QualityReport:
    try:
        with backfill.labels(windows) as found:
            book.read(found.files, found.odd)
        judged, notes = _judge_all(windows, book, backfill, baseline, projection)
        variants = _by_variant(judged)
    except (ConfigError, StorageError, OSError) as error:
        return replace(nothing, reason=ReasonCode.LABELS_UNREADABLE.reason(error=error))
    account = book.account()
    unusable = _no_usable_label(account)
    leading = tuple(of_leading for of_leading, _ in judged)
    if unusable is not None:
        notes = [unusable, *notes]
        leading = tuple(replace(one, reason=unusable) if has_code(one.reason, *_NO_LABELS) else one for one in leading)
    return replace(nothing, reason=joined(*notes), labels=account, windows=leading, variants=variants)


_Judged: TypeAlias = tuple[WindowQuality, Mapping[str, WindowQuality]]
"""A window's quality, and that of each of several variants."""


def _by_variant(judged: Sequence[_Judged]) -> dict[str, tuple[WindowQuality, ...]]:
    """Return the windows of each variant, oldest first."""
    by_variant: dict[str, list[WindowQuality]] = defaultdict(list)
    for _, of_window in judged:
        for name, quality in of_window.items():
            by_variant[name].append(quality)
    return {name: tuple(windows) for name, windows in sorted(by_variant.items())}


_NO_LABELS = (ReasonCode.NO_LABELS_YET, ReasonCode.NO_LABELS_IN_TIME)


def _no_usable_label(account: RecordCounts) -> Reason | None:
    """Return that labels came and none can be used, which is not that none came; None where that is not so."""
    if account.used or not account.read:
        return None
    return ReasonCode.NO_USABLE_LABEL.reason(n_records=account.read, rejected=numbered(account.rejected))


def _refusal(baseline: Baseline) -> Reason | None:
    if baseline.test is None:
        return ReasonCode.LABELS_UNKNOWN.reason()
    if baseline.task is Task.REGRESSION:
        return ReasonCode.TARGET_IS_NUMBER.reason()
    return None


def _judge_all(
    windows: Sequence[WindowBounds], book: LabelBook, backfill: Backfill, baseline: Baseline, projection: Projection
) -> tuple[list[_Judged], list[Reason]]:
    judged: list[_Judged] = []
    notes: list[Reason] = []
    for position, window in enumerate(windows):
        # The time for labels of the oldest of several windows is over; a single one may still get labels.
        is_final = position == 0 and len(windows) > 1
        with backfill.captures(window) as files:
            found = join(((path, name) for name, path in files.items()), backfill.plan.within(window), book)
            notes += _kept(backfill.keep, found.answered, files, book.classes)
        # The baseline is of another model, and an alarm would start retraining for a model that is gone.
        context = replace(backfill.context, not_judged=None if backfill.same_model(window) else MODEL_CHANGED)
        of_window = _judged(found, baseline, projection, context, is_final=is_final)
        if is_final and has_code(of_window[0].reason, ReasonCode.LABELLED_ROWS_TOO_FEW):
            of_window = _looked_back(windows, backfill, baseline, projection) or of_window
        judged.append(of_window)
    return judged, notes


def _looked_back(
    windows: Sequence[WindowBounds], backfill: Backfill, baseline: Baseline, projection: Projection
) -> _Judged | None:
    """Judge the oldest window with hours before it, the fewest whose labels suffice; None: none do.

    Only the window whose time for labels is over looks back, one of each run. The labels of those hours are no part of
    the account: the runs that those hours were due in have counted them.
    """
    own, baseline_test = windows[0], baseline.test
    if own.start is None or baseline_test is None:
        return None
    starts = [format_time(parse_time(own.start) - n * HOUR) for n in range(1, backfill.look_back_hours + 1)]
    if not starts:
        return None
    book, context = LabelBook(Classes(ordered(baseline_test.labels))), replace(backfill.context, not_judged=None)
    with backfill.labels([WindowBounds(starts[-1], own.end), windows[-1]]) as labels:
        book.read(labels.files, labels.odd)
    with backfill.longer() as captures:
        for n_hours, (start, later) in enumerate(zip(starts, [own.start, *starts], strict=False), 1):
            if not backfill.same_model(WindowBounds(start, later)):
                return None
            bounds = WindowBounds(start, own.end)
            files = captures(bounds)
            found = join(((path, name) for name, path in files.items()), backfill.plan.within(bounds), book)
            leading, of_variant = _judged(found, baseline, projection, context, is_final=True)
            if leading.verdict is not Verdict.NOT_JUDGED:
                added = {name: replace(one, hours_added=n_hours) for name, one in of_variant.items()}
                return replace(leading, hours_added=n_hours), added
            if not has_code(leading.reason, ReasonCode.LABELLED_ROWS_TOO_FEW):
                return None
    return None


def _judged(
    found: JoinedVariants, baseline: Baseline, projection: Projection, context: RunContext, *, is_final: bool
) -> _Judged:
    """Judge the leading variant, and where there are several each of them by its own labels."""
    of_variant = {
        name: judge_quality(window, baseline, projection, context, is_final=is_final)
        for name, window in found.by_variant.items()
    }
    unknown = undecided(found.variants)
    if unknown is None or context.not_judged:
        leading = next(iter(of_variant.values()))
    else:
        leading = judge_quality(
            found.leading, baseline, projection, replace(context, not_judged=unknown), is_final=is_final
        )
    return leading, of_variant if found.variants else {}


def _kept(keep: Keep | None, joined: JoinedWindow, files: Files, classes: Classes) -> Iterator[Reason]:
    """Keep the labelled records; yield what went wrong."""
    if keep is None or not joined.matches:
        return
    try:
        keep(joined, files, classes)
    except (ConfigError, PublishError, StorageError, OSError) as error:
        _LOG.warning("captures joined with labels could not be kept: %s", error)
        yield ReasonCode.LABELS_NOT_KEPT.reason(error=error)


_NAMELESS = "endpoint"
"""Stands for the endpoint's name in the layout of merged records where there is none."""


def backfill_of(
    source: LabelSource,
    *,
    connect: Connect,
    plan: WindowPlan,
    context: RunContext,
    look_back_hours: int = 0,
    same_model: SameModel = lambda _: True,
) -> Backfill:
    """Return the inputs of judging windows by the labels of `source`."""
    return Backfill(
        labels=labels_of(source.labels, connect),
        captures=captures_of(source.captures, connect),
        plan=plan,
        keep=keep_of(source.merged, context.endpoint, connect) if source.merged else None,
        context=context,
        longer=longer_captures_of(source.captures, connect),
        look_back_hours=look_back_hours,
        same_model=same_model,
    )


def longer_captures_of(source: str, connect: Connect) -> Longer:
    """Return the opener of the capture files of longer and longer windows: of S3 each hour is fetched once."""

    @contextmanager
    def given() -> Iterator[Callable[[WindowBounds], Files]]:
        if not is_s3_uri(source):
            yield lambda _: _below(Path(source))
            return
        with temporary_folder() as folder:
            captures = CapturesInS3(source, folder, connect)
            yield lambda bounds: _below(captures.fetch(bounds))

    return given


def captures_of(source: str, connect: Connect) -> Captures:
    """Return the opener of a window's capture files: those of its hours in S3, or all below a folder."""

    @contextmanager
    def given(bounds: WindowBounds) -> Iterator[Files]:
        if not is_s3_uri(source):
            yield _below(Path(source))
            return
        start, end = _times([bounds])
        with temporary_folder() as folder:
            yield _below(fetch_captures(source, start, end, folder, connect))

    return given


def labels_of(source: str, connect: Connect) -> Labels:
    """Return the opener of the label files that can have labels of some windows.

    In S3 they are those collected between the first window's start and the last one's end, so that a run depends on its
    window and not on when it happens; of a folder they are all.
    """

    @contextmanager
    def given(windows: Sequence[WindowBounds]) -> Iterator[Listing]:
        if not is_s3_uri(source):
            yield listed(Path(source))
            return
        start, end = _times(windows)
        with temporary_folder() as folder:
            # A folder is an hour: of one that ends within the window the whole is read.
            yield listed(fetch_hours(source, start, end + HOUR - timedelta.resolution, folder, connect))

    return given


def keep_of(merged: str, endpoint: str | None, connect: Connect) -> Keep:
    """Return what stores a window's labelled records in a folder or below a prefix of S3."""

    def keep(window: JoinedWindow, files: Files, classes: Classes) -> None:
        name = endpoint or _NAMELESS
        if not is_s3_uri(merged):
            write_merged(Path(merged), files, window, classes, name)
            return
        with temporary_folder() as folder:
            with storing("the temporary folder"):
                write_merged(folder, files, window, classes, name)
            store_folder(folder, merged, connect)

    return keep


def _below(folder: Path) -> Files:
    return {name: path for path, name in capture_files(folder)}


def _times(windows: Sequence[WindowBounds]) -> tuple[datetime, datetime]:
    start, end = windows[0].start, windows[-1].end
    if start is None or end is None:
        raise ConfigError("the window must have times for its labels to be found in S3, got none; give start and end")
    return parse_time(start), parse_time(end)

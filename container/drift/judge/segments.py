"""Parts of the window against the same parts of the reference: each production variant, each value of one column."""

from collections.abc import Mapping
from dataclasses import replace

from plumbline.contract.reasons import Reason, ReasonCode, joined
from plumbline.contract.records import SegmentReport, Verdict, WindowBounds
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.data.window import Segment, SegmentCounts, SegmentKind
from plumbline.drift.judge.accepted import with_accepted
from plumbline.drift.judge.comparison import RunContext, Sample, judge
from plumbline.drift.judge.past import past_thresholds
from plumbline.drift.judge.verdict import too_few
from plumbline.drift.reference.baseline import Baseline

_WITHOUT_TIMES = WindowBounds()


def judge_segments(
    baseline: Baseline,
    segments: Mapping[Segment, SegmentCounts],
    context: RunContext,
    bounds: WindowBounds = _WITHOUT_TIMES,
) -> tuple[SegmentReport, ...]:
    """Return one report per segment, in order; each is a family of tests of its own.

    A variant is judged against all training rows, or accepted windows: they know of no variants. Accepted windows are
    not kept by the column's values, so that no accepted feature is judged there. The only variant of a window is the
    window, and no segment. Whether a segment has rows enough is its own matter; what else keeps the window from being
    judged, `context.not_judged`, holds for its segments. What the past of all rows shows, in windows of a segment's
    size, is no news in a segment either.

    Parameters
    ----------
    bounds
        Times of the window.
    """
    variants = [segment for segment in segments if segment.kind is SegmentKind.VARIANT]
    return tuple(
        _report(segment, segments[segment], baseline, context, bounds)
        for segment in sorted(segments)
        if variants != [segment]
    )


def _report(
    segment: Segment, counts: SegmentCounts, baseline: Baseline, context: RunContext, bounds: WindowBounds
) -> SegmentReport:
    # One segment must not take the others with it.
    return context.faults.guarded(
        f"segment {segment.value}",
        lambda: _judged(segment, counts, baseline, context, bounds),
        lambda why: _not_judged(segment, counts.n_rows, why),
    )


def _judged(
    segment: Segment, counts: SegmentCounts, baseline: Baseline, context: RunContext, bounds: WindowBounds
) -> SegmentReport:
    reference = _reference(segment, baseline, context)
    if reference is None:
        return _not_judged(segment, counts.n_rows, ReasonCode.NO_REFERENCE_SEGMENT.reason())
    own = replace(context, not_judged=too_few(counts.n_rows, context.policy) or context.not_judged)
    accepted = frozenset[str]() if segment.kind is SegmentKind.VARIANT else context.accepted.names
    without = ReasonCode.ACCEPTED_WITHOUT_SEGMENTS.reason(
        names=", ".join(spec.name for spec in baseline.specs if spec.name in accepted)
    )
    specs = [spec for spec in baseline.specs if spec.name not in accepted]
    if not specs:
        return _not_judged(segment, counts.n_rows, without)
    past = past_thresholds(baseline, counts.n_rows, bounds, context.policy)
    sides = Sample(columns=reference, past=past), Sample(columns=counts.columns)
    outcome = judge(specs, *sides, own, where=f" in segment {segment.value}")
    return SegmentReport(
        kind=segment.kind.value,
        value=segment.value,
        n_rows=counts.n_rows,
        verdict=outcome.verdict,
        reason=joined(outcome.reason, without if accepted else None),
        features=outcome.features,
    )


def _reference(segment: Segment, baseline: Baseline, context: RunContext) -> Mapping[str, ValueCounts] | None:
    if segment.kind is SegmentKind.VARIANT:
        return with_accepted(Sample(columns=baseline.counts), context.accepted, baseline.blocks).columns
    return baseline.segments.get(segment.value)


def _not_judged(segment: Segment, n_rows: int, reason: Reason) -> SegmentReport:
    return SegmentReport(
        kind=segment.kind.value,
        value=segment.value,
        n_rows=n_rows,
        verdict=Verdict.NOT_JUDGED,
        reason=reason,
        features=(),
    )

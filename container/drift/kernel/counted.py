"""Partial counts of a whole window -> what the statistics read."""

from collections.abc import Iterable

import numpy as np

from contract.records import WindowBounds
from drift.counts import NumericCounts, ValueCounts
from drift.kernel.partial import GroupCounts, PartialCounts, ScoreKind
from drift.kernel.plan import Plan
from drift.table import Table
from drift.values import table
from drift.window import RowSample, Segment, SegmentCounts, SegmentKind, WindowCounts


def window_counts(counts: PartialCounts, plan: Plan, bounds: WindowBounds) -> WindowCounts:
    """Return the window that the partial counts add up to.

    The variants are segments where there are two or more of them.
    """
    whole = _together(counts.groups.values(), plan)
    return WindowCounts(
        bounds=bounds,
        records=counts.records(),
        n_rows=whole.n_rows,
        columns=whole.columns,
        probabilities=whole.probabilities,
        n_out_of_support=counts.n_out_of_support,
        design_effect=max(1.0, counts.repetition.second_moment() / whole.n_rows) if whole.n_rows else 1.0,
        sample=_sample(counts, plan),
        unreadable_examples={
            name: {reason: counts.unreadable_places(name, reason) for reason in column.unreadable}
            for name, column in whole.columns.items()
            if column.unreadable
        },
        facets=_scores(counts, ScoreKind.FACET),
        classes=_scores(counts, ScoreKind.CLASS),
        segments={segment: _together(groups, plan) for segment, groups in sorted(_segments(counts, plan).items())},
    )


def _scores(counts: PartialCounts, kind: ScoreKind) -> dict[str, NumericCounts]:
    groups = sorted(group for group in counts.scores if group.kind is kind)
    return {group.value: _numeric(counts.scores[group].counts()) for group in groups}


def _numeric(counts: ValueCounts) -> NumericCounts:
    if not isinstance(counts, NumericCounts):
        raise TypeError(f"probabilities must be counted as numbers, got {type(counts)}")
    return counts


def _segments(counts: PartialCounts, plan: Plan) -> dict[Segment, list[GroupCounts]]:
    segments: dict[Segment, list[GroupCounts]] = {}
    has_variants = len({group.variant for group in counts.groups}) > 1
    for group, part in sorted(counts.groups.items()):
        if has_variants:
            segments.setdefault(Segment(SegmentKind.VARIANT, group.variant), []).append(part)
        if plan.segment is not None:
            segments.setdefault(Segment(SegmentKind.COLUMN, group.value), []).append(part)
    return segments


def _together(groups: Iterable[GroupCounts], plan: Plan) -> SegmentCounts:
    total = GroupCounts.empty(plan)
    for part in groups:
        total.merge(part)
    *columns, probabilities = [column.counts() for column in total.columns]
    names = (spec.name for spec in plan.specs)
    return SegmentCounts(total.n_rows, dict(zip(names, columns, strict=True)), _numeric(probabilities))


def _sample(counts: PartialCounts, plan: Plan) -> RowSample:
    if counts.sample is None:
        return RowSample(table(plan.specs, []), np.zeros(0))
    *columns, probabilities = counts.sample.columns
    names = (spec.name for spec in plan.specs)
    return RowSample(Table(plan.specs, dict(zip(names, columns, strict=True))), probabilities)

"""Partial counts: what one capture file, or many, come down to. They add up in any order."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.enums import StrEnum
from contract.records import FeatureType, RecordCounts
from contract.rejection import RejectionReason
from drift.counts import CategoricalCounts, NumericCounts, ValueCounts
from drift.kernel.columns import PRESENT, Cells, State
from drift.kernel.plan import Plan
from drift.kernel.records import Place, Places, Rejected, first_places
from drift.kernel.tally import Hashes, LabelTally, Tally
from drift.sketch import RELATIVE_ERROR
from drift.table import SAMPLE_ROWS, Table, table
from drift.window import RowSample, Segment, SegmentCounts, SegmentKind, WindowCounts


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Rows in the order of their keys; `columns` has one array per spec and, last, the probabilities.

    All have shape (n_rows,). Cells without a value are NaN or None.
    """

    keys: Hashes
    columns: tuple[NDArray[Any], ...]

    def limit(self) -> np.uint64 | None:
        """Return the key from which on a row has no place here any more; None as long as there is room."""
        return self.keys[-1] if len(self.keys) >= SAMPLE_ROWS else None

    def with_rows(self, other: "SampledRows") -> "SampledRows":
        """Return the sample of both."""
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys)[:SAMPLE_ROWS]
        return SampledRows(
            keys[order],
            tuple(
                np.concatenate([ours, theirs])[order] for ours, theirs in zip(self.columns, other.columns, strict=True)
            ),
        )

    def without(self, other: "SampledRows") -> "SampledRows":
        """Return the sample without the rows of a part: of rows with one key as many go as the part has."""
        taken = dict(zip(*np.unique(other.keys, return_counts=True), strict=True))
        kept = np.ones(len(self.keys), dtype=bool)
        for position, key in enumerate(self.keys):
            if taken.get(key, 0):
                taken[key] -= 1
                kept[position] = False
        return SampledRows(self.keys[kept], tuple(column[kept] for column in self.columns))


class ScoreKind(StrEnum):
    """What divides the predictions beside the groups."""

    FACET = "facet"
    CLASS = "class"


@dataclass(eq=False)
class ColumnCounts:
    """Cells of one column: values by value, all by state; `states` has shape (len(State),)."""

    values: Tally | LabelTally
    states: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(State), dtype=np.int64))

    @classmethod
    def empty(cls, kind: FeatureType, known: frozenset[str] = frozenset()) -> "ColumnCounts":
        """Return the counts of no cell; `known` are the reference's labels."""
        return cls(Tally.of_numbers() if kind is FeatureType.NUMERIC else LabelTally(known))

    def add(self, cells: Cells, counts: NDArray[np.int64]) -> None:
        """Count distinct cells, each as often as it occurs."""
        self.states += np.bincount(cells.states, weights=counts, minlength=len(State)).astype(np.int64)
        present = (cells.states == PRESENT) & (counts > 0)
        values, counts = cells.values[present], counts[present]
        if isinstance(self.values, Tally):
            self.values.add(values, counts)
        else:
            summed: Counter[str] = Counter()
            for label, count in zip(values.tolist(), counts.tolist(), strict=True):
                summed[label] += count
            self.values.add(summed)

    def merge(self, other: "ColumnCounts", sign: int = 1) -> None:
        """Add the cells of another part; with a sign of -1 take them away."""
        self.states += sign * other.states
        if isinstance(self.values, Tally) and isinstance(other.values, Tally):
            self.values.merge(other.values, sign)
        elif isinstance(self.values, LabelTally) and isinstance(other.values, LabelTally):
            self.values.merge(other.values, sign)

    def counts(self) -> ValueCounts:
        """Return the value counts that the statistics read."""
        n_absent = int(self.states[State.ABSENT])
        n_missing = int(self.states[State.MISSING]) + n_absent
        unreadable = {str(state.reason): int(self.states[state]) for state in State if state.reason}
        unreadable = {reason: count for reason, count in sorted(unreadable.items()) if count}
        if isinstance(self.values, Tally):
            tally = self.values.settle()
            error = RELATIVE_ERROR if tally.is_collapsed else None
            return NumericCounts(tally.keys, tally.counts, n_missing, unreadable, n_absent, relative_error=error)
        labels = sorted(self.values.counts)
        return CategoricalCounts(
            np.array(labels, dtype=np.object_),
            np.array([self.values.counts[label] for label in labels], dtype=np.int64),
            n_missing,
            unreadable,
            n_absent,
        )


@dataclass(frozen=True, order=True)
class Group:
    """Rows of one variant with one value in the segment column; an empty text where there is neither."""

    variant: str = ""
    value: str = ""


@dataclass(eq=False)
class GroupCounts:
    """The rows of one group; `columns` has one entry per spec and, last, the probabilities."""

    columns: list[ColumnCounts]
    n_rows: int = 0

    @classmethod
    def empty(cls, plan: Plan) -> "GroupCounts":
        """Return the counts of no row."""
        columns = [ColumnCounts.empty(spec.type, plan.labels.get(spec.name, frozenset())) for spec in plan.specs]
        return cls([*columns, ColumnCounts.empty(FeatureType.NUMERIC)])

    def merge(self, other: "GroupCounts", sign: int = 1) -> None:
        """Add the rows of another part; with a sign of -1 take them away."""
        self.n_rows += sign * other.n_rows
        for ours, theirs in zip(self.columns, other.columns, strict=True):
            ours.merge(theirs, sign)


@dataclass(frozen=True, order=True)
class ScoreGroup:
    """Rows whose predictions are counted apart: those with one value in a column, or of one predicted class."""

    kind: ScoreKind
    value: str


@dataclass(eq=False)
class PartialCounts:
    """Everything that is kept of some capture files.

    `rejected` counts records by reason and `examples` has their places, with what was seen of a row of another shape;
    `unreadable` has the places of unreadable cells by feature and reason. `repetition` counts identical rows, and
    `scores` the predictions of some rows apart from the others'.
    """

    groups: dict[Group, GroupCounts] = field(default_factory=dict)
    n_used: int = 0
    rejected: Counter[RejectionReason] = field(default_factory=Counter)
    examples: dict[RejectionReason, Places] = field(default_factory=dict)
    unreadable: dict[tuple[str, str], Places] = field(default_factory=dict)
    n_out_of_support: int = 0
    repetition: Tally = field(default_factory=Tally.of_hashes)
    sample: SampledRows | None = None
    scores: dict[ScoreGroup, ColumnCounts] = field(default_factory=dict)

    def reject(self, error: Rejected, name: str, line: int) -> None:
        """Count a record that is not used."""
        self.rejected[error.reason] += 1
        places = self.examples.setdefault(error.reason, Places())
        if places.has_room_for(name, line):
            places.add([Place(name, line, error.shape)])

    def reject_used(self, reason: RejectionReason, part: "PartialCounts", name: str, lines: NDArray[np.int64]) -> None:
        """Reject records of one file that were counted as used, given what they come down to."""
        self._subtract(part)
        self.rejected[reason] += len(lines)
        self.examples.setdefault(reason, Places()).add(first_places([name], lines))

    def group(self, key: Group, plan: Plan) -> GroupCounts:
        """Return the counts of a group, to be added to."""
        if key not in self.groups:
            self.groups[key] = GroupCounts.empty(plan)
        return self.groups[key]

    def score_group(self, key: ScoreGroup) -> ColumnCounts:
        """Return the predictions of a group, to be added to."""
        return self.scores.setdefault(key, ColumnCounts.empty(FeatureType.NUMERIC))

    def add_sample(self, rows: SampledRows) -> None:
        """Offer rows to the sample."""
        self.sample = (self.sample or SampledRows(rows.keys[:0], tuple(c[:0] for c in rows.columns))).with_rows(rows)

    def unreadable_places(self, name: str, reason: str) -> tuple[str, ...]:
        """Return where a feature's first cells stand that are unreadable for a reason."""
        return tuple(map(str, self.unreadable[name, reason].first))

    def merge(self, other: "PartialCounts", plan: Plan) -> None:
        """Add other files."""
        for key, counts in other.groups.items():
            self.group(key, plan).merge(counts)
        for score_key, scores in other.scores.items():
            self.score_group(score_key).merge(scores)
        self.n_used += other.n_used
        self.rejected += other.rejected
        self.n_out_of_support += other.n_out_of_support
        self.repetition.merge(other.repetition)
        for reason, places in other.examples.items():
            self.examples.setdefault(reason, Places()).add(places.first)
        for cell, places in other.unreadable.items():
            self.unreadable.setdefault(cell, Places()).add(places.first)
        if other.sample is not None:
            self.add_sample(other.sample)

    def _subtract(self, part: "PartialCounts") -> None:
        for key, counts in part.groups.items():
            self.groups[key].merge(counts, -1)
        self.groups = {key: counts for key, counts in self.groups.items() if counts.n_rows}
        for score_key, scores in part.scores.items():
            self.scores[score_key].merge(scores, -1)
        self.scores = {key: scores for key, scores in self.scores.items() if scores.states.any()}
        self.n_used -= part.n_used
        self.n_out_of_support -= part.n_out_of_support
        self.repetition.merge(part.repetition, -1)
        if self.sample is not None and part.sample is not None:
            self.sample = self.sample.without(part.sample)

    def records(self) -> RecordCounts:
        """Return the account: read is used plus rejected."""
        rejected = {str(reason): self.rejected[reason] for reason in sorted(self.rejected)}
        examples = {str(reason): tuple(map(str, self.examples[reason].first)) for reason in sorted(self.rejected)}
        return RecordCounts(self.n_used + self.rejected.total(), self.n_used, rejected, examples)


def window_counts(counts: PartialCounts, plan: Plan) -> WindowCounts:
    """Return the window that the partial counts add up to.

    The variants are segments where there are two or more of them.
    """
    whole = _together(counts.groups.values(), plan)
    return WindowCounts(
        bounds=plan.bounds,
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

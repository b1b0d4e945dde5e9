"""Partial counts of one or many capture files, which add up in any order: tallies, a row sample, counts of records.

Whether a tally is collapsed depends on its keys alone, and so do the counts it then has: parts add up to the whole in
any order, however they were cut.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.enums import StrEnum
from plumbline.contract.records import AnswerCounts, FeatureType, RecordCounts
from plumbline.contract.rejection import AnswerReason, RejectionReason
from plumbline.drift.data.counts import MAX_DISTINCT, OTHER_LABELS, CategoricalCounts, NumericCounts, ValueCounts
from plumbline.drift.data.sketch import RELATIVE_ERROR, representatives
from plumbline.drift.data.table import SAMPLE_ROWS, Table, table
from plumbline.drift.data.window import RowSample, Segment, SegmentCounts, SegmentKind, WindowCounts
from plumbline.drift.read.kernel.columns import PRESENT, CellState, ColumnCells, Hashes
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.kernel.records import Place, Places, Rejected, first_places
from plumbline.drift.read.kernel.variants import RequestIds, variants_apart

Counts: TypeAlias = NDArray[np.int64]
Collapse: TypeAlias = Callable[[NDArray[Any], Counts], tuple[NDArray[Any], Counts]]


@dataclass(eq=False)
class KeyTally:
    """Counts of sorted keys; `collapse` maps keys and counts to those of the bounded form, and that form to itself."""

    collapse: Collapse
    keys: NDArray[Any]
    counts: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    is_collapsed: bool = False
    _waiting: list[tuple[NDArray[Any], Counts, bool]] = field(default_factory=list)
    _n_waiting: int = 0

    @classmethod
    def of_numbers(cls) -> "KeyTally":
        """Return an empty tally of finite numbers, which collapses to the buckets of `plumbline.drift.data.sketch`."""
        return cls(_to_buckets, np.zeros(0))

    @classmethod
    def of_hashes(cls) -> "KeyTally":
        """Return an empty tally of hashes, which collapses to a sketch of their second moment."""
        return cls(_to_signed_sums, np.zeros(0, dtype=np.uint64))

    def add(self, keys: NDArray[Any], counts: Counts, is_collapsed: bool = False) -> None:
        """Count keys, which may repeat."""
        self._waiting.append((keys, counts, is_collapsed))
        self._n_waiting += len(keys)
        if self._n_waiting > 2 * MAX_DISTINCT:
            self.settle()

    def merge(self, other: "KeyTally", sign: int = 1) -> None:
        """Add what another tally counted; with a sign of -1 take it away."""
        if sign < 0:
            self.settle()  # taking a part away must not keep the whole from being collapsed
        parts = [(other.keys, other.counts, other.is_collapsed), *other._waiting]
        for keys, counts, is_collapsed in parts:
            if len(keys) or is_collapsed:
                self.add(keys, sign * counts, is_collapsed)

    def settle(self) -> "KeyTally":
        """Bring keys and counts up to date."""
        if not self._waiting:
            return self
        self.is_collapsed = self.is_collapsed or any(is_collapsed for _, _, is_collapsed in self._waiting)
        parts = [(self.keys, self.counts), *((keys, counts) for keys, counts, _ in self._waiting)]
        self._waiting, self._n_waiting = [], 0
        self._sum(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        if not self.is_collapsed and len(self.keys) > MAX_DISTINCT:
            self.is_collapsed = True
            self._sum(self.keys, self.counts)
        return self

    def _sum(self, keys: NDArray[Any], counts: Counts) -> None:
        if self.is_collapsed:
            keys, counts = self.collapse(keys, counts)
        order = np.argsort(keys, kind="stable" if keys.itemsize == 2 else None)  # stable is linear for 16 bits
        keys, counts = keys[order], counts[order]
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        sums = np.add.reduceat(counts, first) if len(first) else counts
        self.keys, self.counts = keys[first][sums != 0], sums[sums != 0]

    def second_moment(self) -> int:
        """Return the sum of the squared counts; estimated once collapsed, with a standard error of about 0.6 %."""
        self.settle()
        return int((self.counts**2).sum())


def _to_buckets(values: NDArray[np.float64], counts: Counts) -> tuple[NDArray[np.float64], Counts]:
    return representatives(values), counts


_SIGN_BIT = np.uint64(16)


def _to_signed_sums(hashes: Hashes, counts: Counts) -> tuple[Hashes, Counts]:
    """Add or subtract each count in one of 65,536 sums, both by bits of its hash.

    The squares of the sums add up to the sum of the squared counts, but for the pairs that meet in one sum by chance,
    which cancel out. A sum's own key is its index: its sign bit is not set.

    References
    ----------
    Alon, Matias and Szegedy (1999), The space complexity of approximating the frequency moments, section 2.2;
    Charikar, Chen and Farach-Colton (2002), Finding frequent items in data streams.
    """
    signs = 1 - 2 * ((hashes >> _SIGN_BIT) & np.uint64(1)).astype(np.int64)
    return hashes.astype(np.uint16), counts * signs


@dataclass(eq=False)
class LabelTally:
    """Counts of labels; of those that the reference never had at most the bound's number is kept apart.

    Once there are more, they are one: `OTHER_LABELS`. The reference's own labels stay exact. Of a reference that has
    more labels than it keeps every unknown one is among its others.
    """

    known: frozenset[str]
    counts: dict[str, int] = field(default_factory=dict)
    n_unknown: int = 0
    is_collapsed: bool = False

    def __post_init__(self) -> None:
        """Take the form of the reference."""
        self.is_collapsed = self.is_collapsed or OTHER_LABELS in self.known

    def add(self, counts: Mapping[str, int]) -> None:
        """Count labels."""
        for label, count in counts.items():
            key = OTHER_LABELS if self.is_collapsed and label not in self.known else label
            if key not in self.counts:
                self.n_unknown += key not in self.known
                self.counts[key] = 0
            self.counts[key] += count
            if self.n_unknown > MAX_DISTINCT:
                self._collapse()

    def merge(self, other: "LabelTally", sign: int = 1) -> None:
        """Add what another tally counted; with a sign of -1 take it away."""
        if other.is_collapsed and not self.is_collapsed:
            self._collapse()
        self.add({label: sign * count for label, count in other.counts.items()})
        if sign < 0:
            self.counts = {label: count for label, count in self.counts.items() if count}

    def _collapse(self) -> None:
        before, self.counts, self.n_unknown, self.is_collapsed = self.counts, {}, 0, True
        self.add(before)


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
    """What divides the predictions, besides variant and segment."""

    FACET = "facet"
    CLASS = "class"


@dataclass(eq=False)
class ColumnCounts:
    """Cells of one column: values by value, all by state; `states` has shape (len(CellState),)."""

    values: KeyTally | LabelTally
    states: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(CellState), dtype=np.int64))

    @classmethod
    def empty(cls, kind: FeatureType, known: frozenset[str] = frozenset()) -> "ColumnCounts":
        """Return the counts of no cell; `known` are the reference's labels."""
        return cls(KeyTally.of_numbers() if kind is FeatureType.NUMERIC else LabelTally(known))

    def add(self, cells: ColumnCells, counts: NDArray[np.int64]) -> None:
        """Count distinct cells, each as often as it occurs."""
        self.states += np.bincount(cells.states, weights=counts, minlength=len(CellState)).astype(np.int64)
        present = (cells.states == PRESENT) & (counts > 0)
        values, counts = cells.values[present], counts[present]
        if isinstance(self.values, KeyTally):
            self.values.add(values, counts)
        else:
            summed: Counter[str] = Counter()
            for label, count in zip(values.tolist(), counts.tolist(), strict=True):
                summed[label] += count
            self.values.add(summed)

    def merge(self, other: "ColumnCounts", sign: int = 1) -> None:
        """Add the cells of another part; with a sign of -1 take them away."""
        self.states += sign * other.states
        if isinstance(self.values, KeyTally) and isinstance(other.values, KeyTally):  # noqa: SIM114 - each its own type
            self.values.merge(other.values, sign)
        elif isinstance(self.values, LabelTally) and isinstance(other.values, LabelTally):
            self.values.merge(other.values, sign)

    def counts(self) -> ValueCounts:
        """Return the value counts that the statistics read."""
        n_absent = int(self.states[CellState.ABSENT])
        n_missing = int(self.states[CellState.MISSING]) + n_absent
        unreadable = {str(state.reason): int(self.states[state]) for state in CellState if state.reason}
        unreadable = {reason: count for reason, count in sorted(unreadable.items()) if count}
        if isinstance(self.values, KeyTally):
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
    def empty(cls, plan: WindowPlan) -> "GroupCounts":
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
    `unreadable` has the places of unreadable cells by feature and reason. `n_answers_used` and `unreadable_answers` are
    the account of the used records' answers, and `answer_examples` has places of the latter. `repetition` counts
    identical rows, and `scores` the predictions of some rows apart from the others'. `requests` has the ids of
    each variant's requests.
    """

    groups: dict[Group, GroupCounts] = field(default_factory=dict)
    n_used: int = 0
    rejected: Counter[RejectionReason] = field(default_factory=Counter)
    examples: dict[RejectionReason, Places] = field(default_factory=dict)
    unreadable: dict[tuple[str, str], Places] = field(default_factory=dict)
    n_answers_used: int = 0
    unreadable_answers: Counter[AnswerReason] = field(default_factory=Counter)
    answer_examples: dict[AnswerReason, Places] = field(default_factory=dict)
    n_out_of_support: int = 0
    repetition: KeyTally = field(default_factory=KeyTally.of_hashes)
    sample: SampledRows | None = None
    scores: dict[ScoreGroup, ColumnCounts] = field(default_factory=dict)
    requests: dict[str, RequestIds] = field(default_factory=dict)

    def reject(self, error: Rejected, name: str, line: int) -> None:
        """Count a record that is not used."""
        self.rejected[error.reason] += 1
        places = self.examples.setdefault(error.reason, Places())
        if places.has_room_for(name, line):
            places.add([Place(name, line, error.shape)])

    def note_unreadable_answers(self, reason: AnswerReason, number: int, places: Iterable[Place]) -> None:
        """Count answers of used records that cannot be read."""
        self.unreadable_answers[reason] += number
        self.answer_examples.setdefault(reason, Places()).add(places)

    def reject_used(self, reason: RejectionReason, part: "PartialCounts", name: str, lines: NDArray[np.int64]) -> None:
        """Reject records of one file that were counted as used, given their partial counts."""
        self._subtract(part)
        self.rejected[reason] += len(lines)
        self.examples.setdefault(reason, Places()).add(first_places([name], lines))

    def group(self, key: Group, plan: WindowPlan) -> GroupCounts:
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

    def merge(self, other: "PartialCounts", plan: WindowPlan) -> None:
        """Add other files."""
        for key, counts in other.groups.items():
            self.group(key, plan).merge(counts)
        for score_key, scores in other.scores.items():
            self.score_group(score_key).merge(scores)
        self.n_used += other.n_used
        self.rejected += other.rejected
        self.n_answers_used += other.n_answers_used
        self.unreadable_answers += other.unreadable_answers
        for answer_reason, answer_places in other.answer_examples.items():
            self.answer_examples.setdefault(answer_reason, Places()).add(answer_places.first)
        self.n_out_of_support += other.n_out_of_support
        self.repetition.merge(other.repetition)
        for reason, places in other.examples.items():
            self.examples.setdefault(reason, Places()).add(places.first)
        for cell, places in other.unreadable.items():
            self.unreadable.setdefault(cell, Places()).add(places.first)
        for variant, ids in other.requests.items():
            self.requests.setdefault(variant, RequestIds()).add(ids.smallest)
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
        self.n_answers_used -= part.n_answers_used
        self.unreadable_answers -= part.unreadable_answers
        self.n_out_of_support -= part.n_out_of_support
        self.repetition.merge(part.repetition, -1)
        if self.sample is not None and part.sample is not None:
            self.sample = self.sample.without(part.sample)

    def records(self) -> RecordCounts:
        """Return the account: read is used plus rejected."""
        rejected = {str(reason): self.rejected[reason] for reason in sorted(self.rejected)}
        examples = {str(reason): tuple(map(str, self.examples[reason].first)) for reason in sorted(self.rejected)}
        return RecordCounts(self.n_used + self.rejected.total(), self.n_used, rejected, examples, self.seen())

    def seen(self) -> dict[str, tuple[str, ...]]:
        """Return what the first rejected records of each reason were, each kind once; reasons without are left out."""
        seen = {str(reason): self.examples[reason].notes() for reason in sorted(self.rejected)}
        return {reason: notes for reason, notes in seen.items() if notes}

    def answers(self) -> AnswerCounts:
        """Return the account of the answers: read is used plus unreadable."""
        unreadable = {str(reason): self.unreadable_answers[reason] for reason in sorted(self.unreadable_answers)}
        examples = {reason: tuple(map(str, self.answer_examples[AnswerReason(reason)].first)) for reason in unreadable}
        n_read = self.n_answers_used + self.unreadable_answers.total()
        ambiguous = self.answer_examples.get(AnswerReason.AMBIGUOUS, Places()).first
        readings = tuple(sorted({place.note for place in ambiguous if place.note}))
        return AnswerCounts(n_read, self.n_answers_used, unreadable, examples, readings)


def window_counts(counts: PartialCounts, plan: WindowPlan) -> WindowCounts:
    """Return the window that the partial counts add up to.

    The variants are segments where there are two or more of them.
    """
    n_rows: Counter[str] = Counter()
    for group, part in counts.groups.items():
        n_rows[group.variant] += part.n_rows
    whole = _together(counts.groups.values(), plan)
    return WindowCounts(
        bounds=plan.bounds,
        records=counts.records(),
        answers=counts.answers(),
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
        variants=variants_apart(n_rows, counts.requests) if plan.variant is None else (),
    )


def _scores(counts: PartialCounts, kind: ScoreKind) -> dict[str, NumericCounts]:
    groups = sorted(group for group in counts.scores if group.kind is kind)
    return {group.value: _numeric(counts.scores[group].counts()) for group in groups}


def _numeric(counts: ValueCounts) -> NumericCounts:
    if not isinstance(counts, NumericCounts):
        raise TypeError(f"probabilities must be counted as numbers, got {type(counts)}")
    return counts


def _segments(counts: PartialCounts, plan: WindowPlan) -> dict[Segment, list[GroupCounts]]:
    segments: dict[Segment, list[GroupCounts]] = {}
    has_variants = len({group.variant for group in counts.groups}) > 1
    for group, part in sorted(counts.groups.items()):
        if has_variants:
            segments.setdefault(Segment(SegmentKind.VARIANT, group.variant), []).append(part)
        if plan.segment is not None:
            segments.setdefault(Segment(SegmentKind.COLUMN, group.value), []).append(part)
    return segments


def _together(groups: Iterable[GroupCounts], plan: WindowPlan) -> SegmentCounts:
    total = GroupCounts.empty(plan)
    for part in groups:
        total.merge(part)
    *columns, probabilities = [column.counts() for column in total.columns]
    names = (spec.name for spec in plan.specs)
    return SegmentCounts(total.n_rows, dict(zip(names, columns, strict=True)), _numeric(probabilities))


def _sample(counts: PartialCounts, plan: WindowPlan) -> RowSample:
    if counts.sample is None:
        return RowSample(table(plan.specs, []), np.zeros(0))
    *columns, probabilities = counts.sample.columns
    names = (spec.name for spec in plan.specs)
    return RowSample(Table(plan.specs, dict(zip(names, columns, strict=True))), probabilities)

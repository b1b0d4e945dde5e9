"""Partial counts: what one capture file, or many, come down to. They add up in any order."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contract.enums import StrEnum
from contract.records import FeatureType, RecordCounts
from drift.counts import CategoricalCounts, NumericCounts, ValueCounts
from drift.kernel.columns import PRESENT, Cells, State
from drift.kernel.places import Place, Places, first_places
from drift.kernel.plan import Plan
from drift.kernel.sample import SampledRows
from drift.kernel.tally import LabelTally, Tally
from drift.rejection import Reason, Rejected
from drift.sketch import RELATIVE_ERROR


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
    rejected: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, Places] = field(default_factory=dict)
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

    def reject_used(self, reason: Reason, part: "PartialCounts", name: str, lines: NDArray[np.int64]) -> None:
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

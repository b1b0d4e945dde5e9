"""One window's captured records joined with the labels that have come for them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import RecordCounts, VariantRole, WindowBounds
from plumbline.contract.rejection import LabelRejectionReason
from plumbline.drift.data.window import VariantRows, WindowCounts
from plumbline.drift.ground_truth.labels import NO_LABEL, Codes, LabelBook
from plumbline.drift.read.kernel.batches import Batch
from plumbline.drift.read.kernel.files import FileCounter
from plumbline.drift.read.kernel.partial_counts import PartialCounts, window_counts
from plumbline.drift.read.kernel.plan import WindowPlan, variant_of
from plumbline.drift.read.kernel.records import POSITIONS
from plumbline.drift.read.kernel.variants import RequestIds, variants_apart

Matches: TypeAlias = Mapping[str, Sequence[tuple[int, Codes]]]
"""By file: the line of each captured record that has labels, in ascending order, and the labels."""


@dataclass(frozen=True, eq=False, kw_only=True)
class JoinedWindow:
    """A window's rows with the labels they have.

    `records` are those that were read. `labelled` has all rows with a label and `by_label` those of each label;
    `unlabelled` has the others, and `unusable` the number of captured records whose label came and cannot be used, by
    reason.
    """

    bounds: WindowBounds
    records: RecordCounts
    labelled: WindowCounts
    by_label: Mapping[str, WindowCounts]
    unlabelled: WindowCounts
    matches: Matches
    unusable: Mapping[LabelRejectionReason, int] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows of the window."""
        return self.labelled.n_rows + self.unlabelled.n_rows

    @property
    def labelled_fraction(self) -> float | None:
        """Share of rows with a label, 0 to 1; None without rows."""
        return self.labelled.n_rows / self.n_rows if self.n_rows else None


@dataclass(frozen=True, eq=False)
class JoinedVariants:
    """A window's rows with their labels by variant, the one that leads first; one variant alone is that of the window.

    `variants` is empty where there is one.
    """

    by_variant: Mapping[str, JoinedWindow]
    variants: tuple[VariantRows, ...] = ()

    @property
    def leading(self) -> JoinedWindow:
        """The window of the leading variant."""
        return next(iter(self.by_variant.values()))

    @property
    def answered(self) -> JoinedWindow:
        """The leading variant's window with the matches of every variant that may have answered callers."""
        shadows = {one.name for one in self.variants if one.role is VariantRole.SHADOW}
        matches = {
            file: lines
            for name, window in self.by_variant.items()
            if name not in shadows
            for file, lines in window.matches.items()
        }
        return replace(self.leading, matches=dict(sorted(matches.items())))


@dataclass(eq=False)
class _Join:
    """What is known of a window while its files are read."""

    counter: FileCounter
    book: LabelBook
    parts: dict[int, PartialCounts] = field(default_factory=lambda: defaultdict(PartialCounts))
    matches: dict[str, list[tuple[int, Codes]]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    unusable: Counter[LabelRejectionReason] = field(default_factory=Counter)
    n_records: int = 0

    def add(self, batch: Batch, names: Sequence[str]) -> None:
        """Count each row under its label's code."""
        codes = self._codes(batch, names)
        self.n_records += len(batch.event_ids)
        for code in np.unique(codes).tolist():
            self.counter.add(self.parts[code], batch.rows_where(codes == code), names)

    def _codes(self, batch: Batch, names: Sequence[str]) -> NDArray[np.int64]:
        codes: list[int] = []
        keys = zip(batch.inference_ids, batch.event_ids, strict=True)
        for names_of_record, n_rows, position in zip(
            keys, batch.n_rows.tolist(), batch.positions.tolist(), strict=True
        ):
            found = self.book.codes_of(names_of_record, n_rows)
            codes += found or (NO_LABEL,) * n_rows
            if found is None and (reason := self.book.unusable(names_of_record)):
                self.unusable[reason] += 1
            if found:
                self.matches[names[position // POSITIONS]].append((position % POSITIONS, found))
        return np.array(codes, dtype=np.int64)


def join(files: Iterable[tuple[Path, str]], plan: WindowPlan, book: LabelBook) -> JoinedVariants:
    """Read a window's capture files, each with its name, and give every row the label it has.

    A record is found by its inference id, or else by its event id. An event that a variant captured twice counts once:
    its first record in order of path and line.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    windows, requests = {}, {}
    for variant, of_variant in _by_variant([*files], plan).items():
        windows[variant], requests[variant] = _joined(of_variant, plan, book)
    n_rows = {variant: window.n_rows for variant, window in windows.items()}
    variants = variants_apart(n_rows, requests)
    order = [one.name for one in variants] or sorted(windows, key=lambda name: (-windows[name].n_rows, name))
    return JoinedVariants({name: windows[name] for name in order}, variants)


def _by_variant(files: Sequence[tuple[Path, str]], plan: WindowPlan) -> dict[str, Sequence[tuple[Path, str]]]:
    """Return the files of each of several variants, or all where there are not several.

    A path that names no variant may hold the records of any, as where one variant is chosen.
    """
    variants = sorted({variant for _, name in files if (variant := variant_of(name)) is not None})
    if plan.variant is not None or len(variants) < 2:
        return {"": files}
    return {one: [file for file in files if variant_of(file[1]) in {None, one}] for one in variants}


def _joined(files: Iterable[tuple[Path, str]], plan: WindowPlan, book: LabelBook) -> tuple[JoinedWindow, RequestIds]:
    found, rejected = _Join(FileCounter(plan), book), PartialCounts()
    for batches, names in found.counter.read_all(sorted(files, key=lambda file: file[1]), rejected):
        for batch in _first_of_each_event(batches, found.seen):
            found.add(batch, names)
    unlabelled = found.parts.pop(NO_LABEL, PartialCounts())
    by_label = {book.classes.labels[code]: found.parts[code] for code in sorted(found.parts)}
    labelled = PartialCounts()
    for part in by_label.values():
        labelled.merge(part, plan)
    n_read = found.n_records + rejected.rejected.total()
    requests = RequestIds()
    for part in (labelled, unlabelled):
        for ids in part.requests.values():
            requests.add(ids.smallest)
    window = JoinedWindow(
        bounds=plan.bounds,
        records=RecordCounts(n_read, found.n_records, dict(sorted(rejected.rejected.items()))),
        labelled=window_counts(labelled, plan),
        by_label={label: window_counts(part, plan) for label, part in by_label.items()},
        unlabelled=window_counts(unlabelled, plan),
        matches={name: sorted(lines) for name, lines in sorted(found.matches.items())},
        unusable=dict(sorted(found.unusable.items())),
    )
    return window, requests


def _first_of_each_event(batches: Sequence[Batch], seen: set[str]) -> Iterable[Batch]:
    """Yield the batches without the events seen before; among themselves the first position of an event counts."""
    first: dict[str, int] = {}
    for batch in batches:
        for event_id, position in zip(batch.event_ids, batch.positions.tolist(), strict=True):
            if event_id is not None and event_id not in seen:
                first[event_id] = min(position, first.get(event_id, position))
    for batch in batches:
        kept = [
            event_id is None or first.get(event_id) == position
            for event_id, position in zip(batch.event_ids, batch.positions.tolist(), strict=True)
        ]
        yield batch if all(kept) else batch.where(np.array(kept, dtype=bool))
    seen.update(first)

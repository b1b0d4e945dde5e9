"""Distinct tokens of one column -> cells: a number, a label, missing, absent or unreadable; and their hashes.

Hashes have 64 bits and are equal on every machine. They guard against no attacker; all collisions are harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from plumbline.contract.records import FeatureType
from plumbline.contract.rejection import CellReason
from plumbline.drift.data.counts import OTHER_LABELS, NumericCounts, ValueCounts
from plumbline.drift.data.sketch import representatives
from plumbline.drift.data.table import Cell, CellReader, FeatureSpec, NotANumberError, present
from plumbline.drift.read.kernel.payloads import Marker, Token, spelled

Hashes = NDArray[np.uint64]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
"""Texts that Arrow and Python read as the same number; all others are Python's."""
_REMEMBERED = 65_536
_BOOLEANS = {Marker.TRUE: "true", Marker.FALSE: "false"}


def text_hashes(texts: Sequence[str | None]) -> Hashes:
    """Return the XXH3 hash of each text, shape (n_texts,); 0 where there is none."""
    try:
        return np.fromiter(map(xxh3_64_intdigest, map(str.encode, texts)), np.uint64, len(texts))  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):  # None, or half a surrogate pair
        hashes = [0 if text is None else xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) for text in texts]
        return np.array(hashes, dtype=np.uint64)


def mixed(numbers: Hashes) -> Hashes:
    """Return each number scattered over the whole range.

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, figure 15 (SplitMix64).
    """
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def combined(left: Hashes, right: Hashes) -> Hashes:
    """Return one hash per pair; the order of the two matters."""
    return mixed((left + np.uint64(0x9E3779B97F4A7C15)) ^ right)


def number_hashes(values: NDArray[np.float64]) -> Hashes:
    """Return the hash of each number: 0.0 and -0.0 have one, and so have all NaN."""
    return mixed(np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64))


class CellState(IntEnum):
    """What a cell is."""

    PRESENT = 0
    MISSING = 1
    ABSENT = 2
    NOT_A_NUMBER = 3
    NOT_FINITE = 4
    NOT_A_VALUE = 5

    @property
    def reason(self) -> CellReason | None:
        """The reason under which an unreadable cell is counted; None for the others."""
        return CellReason[self.name] if self >= CellState.NOT_A_NUMBER else None


PRESENT, MISSING, ABSENT = np.int8(CellState.PRESENT), np.int8(CellState.MISSING), np.int8(CellState.ABSENT)
UNREADABLE = np.int8(CellState.NOT_A_NUMBER)
"""The first of the unreadable states. (Enumerations are slow to look members up in, and this is done per cell.)"""


@dataclass(frozen=True, eq=False)
class ColumnCells:
    """One entry per distinct token, shape (n_distinct,).

    `values` is float64, or object holding ``str``: NaN or None where the state is not present. `out_of_support` marks
    those for which the reference has no value (`plumbline.drift.projection.refusals`).
    """

    values: NDArray[np.float64] | NDArray[np.object_]
    states: NDArray[np.int8]
    hashes: Hashes
    outside: NDArray[np.bool_]


@dataclass(eq=False)
class ColumnReader:
    """Reads one column; labels, and texts that Arrow cannot read, are cached from block to block."""

    spec: FeatureSpec
    reference: ValueCounts
    _known: frozenset[object] = field(init=False)
    _cells: CellReader = field(init=False)
    _seen: dict[Token, tuple[Cell, CellState]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Look up the reference's labels once."""
        self._known = frozenset(self.reference.values.tolist())
        self._cells = CellReader(
            self.spec, present(value for value in self.reference.values.tolist() if value != OTHER_LABELS)
        )

    def read(self, distinct: Sequence[Token] | pa.StringArray) -> ColumnCells:
        """Return the cell of each token."""
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        if self.spec.type is FeatureType.NUMERIC:
            return self._numeric(distinct)
        return self._categorical(distinct.to_pylist() if isinstance(distinct, pa.Array) else distinct)

    def _numeric(self, distinct: Sequence[Token] | pa.StringArray) -> ColumnCells:
        if isinstance(distinct, pa.Array):
            values, unread = _numbers(distinct)
            if sentinels := self._cells.numbers.missing_numbers:
                unread |= np.isin(values, [*sentinels])
        else:
            values, unread = np.full(len(distinct), np.nan), np.ones(len(distinct), dtype=bool)
        states = np.full(len(values), PRESENT)
        for position in np.flatnonzero(unread).tolist():
            token = distinct[position]
            value, states[position] = self._cell(token.as_py() if isinstance(token, pa.Scalar) else token)
            values[position] = np.nan if value is None else value
        values += 0.0
        hashes = _with_states(number_hashes(values), states)
        return ColumnCells(values, states, hashes, self._out_of_range(values, states) | self._unexpected(states))

    def _out_of_range(self, values: NDArray[np.float64], states: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Return which numbers lie outside the reference's range; of a bucketed one, whose buckets do."""
        if not self.reference.n_present:
            return np.zeros(len(values), dtype=bool)
        is_bucketed = isinstance(self.reference, NumericCounts) and self.reference.relative_error is not None
        held = representatives(values) if is_bucketed else values
        lowest, highest = self.reference.values[[0, -1]]
        return np.asarray((states == PRESENT) & ((held < lowest) | (held > highest)))

    def _categorical(self, distinct: Sequence[Token]) -> ColumnCells:
        read = [self._cell(token) for token in distinct]
        values = np.array([value for value, _ in read], dtype=np.object_)
        states = np.array([state for _, state in read], dtype=np.int8)
        hashes = text_hashes(values.tolist())
        knows_all = OTHER_LABELS in self._known or not self.reference.n_present
        outside = np.array([not knows_all and value not in self._known for value in values], dtype=bool)
        outside &= states == PRESENT
        return ColumnCells(values, states, _with_states(hashes, states), outside | self._unexpected(states))

    def _unexpected(self, states: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Return which cells have no value although the reference always had one."""
        if not self.reference.n_present:
            return np.zeros(len(states), dtype=bool)
        missing = (states == MISSING) | (states == ABSENT)
        return np.asarray((states >= UNREADABLE) | (missing & (not self.reference.n_missing)))

    def _cell(self, token: Token) -> tuple[Cell, CellState]:
        found = self._seen.get(token)
        if found is None:
            found = self._seen[token] = _cell(self._cells, token)
        return found


def _cell(cells: CellReader, token: Token) -> tuple[Cell, CellState]:
    if token is Marker.ABSENT:
        return None, CellState.ABSENT
    if isinstance(token, Marker):
        # A boolean is a value where the reference has such, however it spells them.
        if token not in _BOOLEANS or not cells.has_booleans:
            return None, CellState.NOT_A_VALUE
        token = _BOOLEANS[token]
    elif token != token:  # noqa: PLR0124 - NaN in JSON, which is no value of any column
        return None, CellState.MISSING
    try:
        value = cells.read(token if isinstance(token, str) else spelled(token))
    except NotANumberError as error:
        return None, CellState[error.reason.name]
    missing = value is None or value != value  # noqa: PLR0124 - NaN, and quicker than asking for the type first
    return (None, CellState.MISSING) if missing else (value, CellState.PRESENT)


def _with_states(hashes: Hashes, states: NDArray[np.int8]) -> Hashes:
    """Give the cells without a value hashes of their own; a missing cell and an absent one are alike."""
    alike = np.where(states == ABSENT, MISSING, states)
    return np.where(states == PRESENT, hashes, mixed(alike.astype(np.uint64)))


def _numbers(texts: pa.StringArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the texts as numbers, and which of them Python has to read."""
    # Masks and fills by numpy: a Python value handed to Arrow makes it look for pandas, and load it where it is.
    trimmed = pc.ascii_trim_whitespace(texts)
    plain = pc.match_substring_regex(trimmed, _NUMBER)
    numbers = np.full(len(texts), np.nan)
    numbers[_to_numpy(pc.cast(plain, pa.uint8())) == 1] = _to_numpy(pc.cast(trimmed.filter(plain), pa.float64()))
    return numbers, ~np.isfinite(numbers)


def _to_numpy(array: pa.Array) -> NDArray[Any]:
    return np.from_dlpack(array)

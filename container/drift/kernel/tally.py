"""How often each key occurs: exact up to a bound of distinct keys, and beyond it in a form that does not grow.

Whether a tally is collapsed depends on its keys alone, and so do the counts it then has: parts add up to the whole in
any order, however they were cut.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from drift.counts import MOST_DISTINCT, OTHER_LABELS
from drift.sketch import representatives

Hashes = NDArray[np.uint64]


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


Counts: TypeAlias = NDArray[np.int64]
Collapse: TypeAlias = Callable[[NDArray[Any], Counts], tuple[NDArray[Any], Counts]]


@dataclass(eq=False)
class Tally:
    """Counts of sorted keys; `collapse` maps keys and counts to those of the bounded form, and that form to itself."""

    collapse: Collapse
    keys: NDArray[Any]
    counts: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    is_collapsed: bool = False
    _waiting: list[tuple[NDArray[Any], Counts, bool]] = field(default_factory=list)
    _n_waiting: int = 0

    @classmethod
    def of_numbers(cls) -> "Tally":
        """Return an empty tally of finite numbers, which collapses to the buckets of `drift.sketch`."""
        return cls(_to_buckets, np.zeros(0))

    @classmethod
    def of_hashes(cls) -> "Tally":
        """Return an empty tally of hashes, which collapses to a sketch of their second moment."""
        return cls(_to_signed_sums, np.zeros(0, dtype=np.uint64))

    def add(self, keys: NDArray[Any], counts: Counts, is_collapsed: bool = False) -> None:
        """Count keys, which may repeat."""
        self._waiting.append((keys, counts, is_collapsed))
        self._n_waiting += len(keys)
        if self._n_waiting > 2 * MOST_DISTINCT:
            self.settle()

    def merge(self, other: "Tally", sign: int = 1) -> None:
        """Add what another tally counted; with a sign of -1 take it away."""
        other.settle()
        self.settle()  # taking a part away must not keep the whole from being collapsed
        self.add(other.keys, sign * other.counts, other.is_collapsed)

    def settle(self) -> "Tally":
        """Bring keys and counts up to date."""
        if not self._waiting:
            return self
        self.is_collapsed = self.is_collapsed or any(is_collapsed for _, _, is_collapsed in self._waiting)
        parts = [(self.keys, self.counts), *((keys, counts) for keys, counts, _ in self._waiting)]
        self._waiting, self._n_waiting = [], 0
        self._sum(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        if not self.is_collapsed and len(self.keys) > MOST_DISTINCT:
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
    """Add or subtract each count in one of 65,536 sums, both as its hash says.

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
    """Counts of labels; of those that the reference never had at most the bound's number is told apart.

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
            if self.n_unknown > MOST_DISTINCT:
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

"""Cells: the common partition on which reference and window are compared."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drift.counts import CategoricalCounts, NumericCounts, ValueCounts

_DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Cells:
    """How often each cell occurs in the reference and in the window.

    Both arrays have shape (n_cells,), int64; a cell empty on both sides is left out. Missing values are in no cell.
    """

    reference: NDArray[np.int64]
    window: NDArray[np.int64]

    @classmethod
    def between(cls, reference: ValueCounts, window: ValueCounts) -> Self:
        """Partition two columns of the same type: by label, or by the reference's decile bins.

        Raises
        ------
        TypeError
            If one side is numeric and the other categorical.
        ValueError
            If a side has no present value.
        """
        if not (reference.n_present and window.n_present):
            raise ValueError("both sides must have a present value, got none on one of them")
        if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
            return cls._occupied(*_by_bin(reference, window))
        if isinstance(reference, CategoricalCounts) and isinstance(window, CategoricalCounts):
            return cls._occupied(*_by_label(reference, window))
        raise TypeError(f"both sides must be of one type, got {type(reference).__name__} and {type(window).__name__}")

    @classmethod
    def _occupied(cls, reference: NDArray[np.int64], window: NDArray[np.int64]) -> Self:
        occupied = (reference + window) > 0
        return cls(reference[occupied], window[occupied])

    @property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Relative frequencies of both sides; each sums to 1."""
        return self.reference / self.reference.sum(), self.window / self.window.sum()


def _by_label(reference: CategoricalCounts, window: CategoricalCounts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    union = np.unique(np.concatenate([reference.values, window.values]))
    return _spread(reference, union), _spread(window, union)


def _spread(side: CategoricalCounts, union: NDArray[np.object_]) -> NDArray[np.int64]:
    frequencies = np.zeros(len(union), dtype=np.int64)
    frequencies[np.searchsorted(union, side.values)] = side.counts
    return frequencies


def _by_bin(reference: NumericCounts, window: NumericCounts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    edges, atoms = decile_edges(reference)
    n_bins = len(edges) + len(atoms) + 1

    def frequencies(side: NumericCounts) -> NDArray[np.int64]:
        # Every edge cuts behind itself (bins are right-closed); an atom cuts before itself too.
        bins = np.searchsorted(edges, side.values, side="left") + np.searchsorted(atoms, side.values, side="right")
        sums: NDArray[np.int64] = np.zeros(n_bins, dtype=np.int64)
        np.add.at(sums, bins, side.counts)
        return sums

    return frequencies(reference), frequencies(window)


def decile_edges(reference: NumericCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct deciles of the reference, and those of them that are a bin of their own.

    The deciles are numpy's quantiles 0.1 to 0.9 (linear interpolation). One that occurs twice fills a whole tenth
    of the reference by itself, such as a capital gain of 0 or a week of 40 hours: with a bin of its own, a move
    away from it is seen in either direction. Bins are right-closed, the outer ones open.

    Returns
    -------
    tuple of arrays of shape (n_edges,) and (n_atoms,)
        Both ascending; the atoms are among the edges.
    """
    exponent = reference.scale_exponent()
    deciles = np.ldexp(np.quantile(np.ldexp(reference.expanded(), -exponent), _DECILES), exponent)
    edges, repeats = np.unique(deciles, return_counts=True)
    return edges, edges[repeats > 1]

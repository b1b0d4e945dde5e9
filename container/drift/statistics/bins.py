"""Bins of a numeric column: the deciles of the reference, and the values that fill a decile by themselves."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drift.counts import NumericCounts

_DECILES = np.arange(1, 10) / 10
_DIGITS = range(6, 18)
"""Significant digits of a label: as few as tell the edges apart; 17 always do."""
_MAX_WHOLE = 1e15


@dataclass(frozen=True, eq=False)
class Bins:
    """Right-closed bins between the edges, the outer ones open; an atom is an edge with a bin of its own.

    `edges` has shape (n_edges,), `atoms` shape (n_atoms,); both ascend, and the atoms are among the edges.
    """

    edges: NDArray[np.float64]
    atoms: NDArray[np.float64]

    @classmethod
    def of(cls, reference: NumericCounts) -> Self:
        """Cut at the distinct deciles of the reference: numpy's quantiles 0.1 to 0.9, linear interpolation.

        A decile that occurs twice fills a whole tenth of the reference by itself, such as a capital gain of 0 or a
        week of 40 hours: with a bin of its own, a move away from it is seen in either direction.
        """
        edges, repeats = np.unique(_deciles(reference), return_counts=True)
        return cls(edges, edges[repeats > 1])

    def frequencies(self, side: NumericCounts) -> NDArray[np.int64]:
        """Return how often each bin occurs: shape (n_bins,)."""
        # Every edge cuts behind itself (bins are right-closed); an atom cuts before itself too.
        bins = np.searchsorted(self.edges, side.values, side="left")
        bins += np.searchsorted(self.atoms, side.values, side="right")
        sums = np.zeros(len(self.edges) + len(self.atoms) + 1, dtype=np.int64)
        np.add.at(sums, bins, side.counts)
        return sums

    def labels(self) -> NDArray[np.object_]:
        """Return the bins in words, such as ``<= 21``, ``(21, 40)``, ``= 40`` and ``> 40``: shape (n_bins,)."""
        texts, atoms = _texts(self.edges), set(self.atoms.tolist())
        labels = []
        for i, (edge, text) in enumerate(zip(self.edges.tolist(), texts, strict=True)):
            below = f"({texts[i - 1]}, {text}" if i else f"{'<' if edge in atoms else '<='} {text}"
            labels.append(below + (")" if edge in atoms else "]") if i else below)
            if edge in atoms:
                labels.append(f"= {text}")
        return np.array([*labels, f"> {texts[-1]}"], dtype=object)


def _texts(edges: NDArray[np.float64]) -> list[str]:
    for digits in _DIGITS:
        texts = [_text(edge, digits) for edge in edges.tolist()]
        if len(set(texts)) == len(texts):
            break
    return texts


def _text(edge: float, digits: int) -> str:
    whole = abs(edge) < _MAX_WHOLE and edge.is_integer()
    return f"{edge:.0f}" if whole else f"{edge:.{digits}g}"


def _deciles(reference: NumericCounts) -> NDArray[np.float64]:
    # A power of two changes no digit, and keeps the difference of two huge values finite.
    exponent = reference.scale_exponent()
    upto, values = np.cumsum(reference.counts), np.ldexp(reference.values, -exponent)
    positions = (upto[-1] - 1) * _DECILES
    before = np.floor(positions)
    share = positions - before
    low = values[np.searchsorted(upto, before, side="right")]
    high = values[np.searchsorted(upto, np.minimum(before + 1, upto[-1] - 1), side="right")]
    with np.errstate(invalid="ignore"):
        gap = high - low
        between = np.where(share < 0.5, low + gap * share, high - gap * (1 - share))
    # Next to an infinite value there is nothing to interpolate.
    return np.asarray(np.ldexp(np.where(np.isfinite(gap), between, np.where(share < 0.5, low, high)), exponent))

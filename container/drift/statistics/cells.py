"""Cells: the common partition on which reference and window are compared."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.records import Contributor
from plumbline.drift.data.counts import OTHER_LABELS, CategoricalCounts, NumericCounts, ValueCounts

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


FEW = 5
"""Expected count below which a chi-square approximation is not trusted: W. Cochran, "Some methods for strengthening
the common chi-square tests" (1954)."""
RARE = 25
"""Labels that the reference has less often stay together where one side could not keep all of its labels apart: those
kept were chosen by the reference's own counts, and of rare ones (ids) the window has fewer without any drift."""


@dataclass(frozen=True, eq=False)
class Cells:
    """How often each cell occurs in the reference and in the window.

    Both arrays have shape (n_cells,), int64; a cell empty on both sides is left out. Missing values are in no cell.
    `labels` names the cells, shape (n_cells,): category labels, or bins in words.
    """

    reference: NDArray[np.int64]
    window: NDArray[np.int64]
    labels: NDArray[np.object_] | None = None

    @classmethod
    def between(cls, reference: ValueCounts, window: ValueCounts) -> Self:
        """Contributorition two columns of the same type: by label, or by the reference's decile bins.

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
            bins = Bins.of(reference)
            return cls._occupied(bins.frequencies(reference), bins.frequencies(window), bins.labels())
        if isinstance(reference, CategoricalCounts) and isinstance(window, CategoricalCounts):
            union = np.unique(np.concatenate([reference.values, window.values]))
            return cls._occupied(*_spread_with_others(reference, window, union), union)
        raise TypeError(f"both sides must be of one type, got {type(reference).__name__} and {type(window).__name__}")

    @classmethod
    def _occupied(
        cls, reference: NDArray[np.int64], window: NDArray[np.int64], labels: NDArray[np.object_] | None
    ) -> Self:
        occupied = (reference + window) > 0
        return cls(reference[occupied], window[occupied], None if labels is None else labels[occupied])

    @classmethod
    def of_missing(cls, reference: ValueCounts, window: ValueCounts) -> Self:
        """Divide two columns into cells that have a value and cells that have none; unreadable ones are neither."""
        before, after = (np.array([side.n_present, side.n_missing], dtype=np.int64) for side in (reference, window))
        return cls._occupied(before, after, None)

    @property
    def n_reference(self) -> int:
        """Rows of the reference."""
        return int(self.reference.sum())

    @property
    def n_window(self) -> int:
        """Rows of the window."""
        return int(self.window.sum())

    @property
    def pooled(self) -> NDArray[np.int64]:
        """Both sides together: shape (n_cells,), all positive."""
        return self.reference + self.window

    @property
    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Relative frequencies of both sides; each sums to 1."""
        return self.reference / self.reference.sum(), self.window / self.window.sum()

    @property
    def sparse(self) -> bool:
        """Whether some expected count is below `FEW` on either side."""
        return bool(self._expected.min() < FEW)

    @property
    def _expected(self) -> NDArray[np.float64]:
        """Counts that the smaller side would have without any difference; shape (n_cells,)."""
        share = min(self.n_reference, self.n_window) / (self.n_reference + self.n_window)
        return np.asarray(self.pooled * share)

    def without_sparse(self) -> "Cells":
        """Return the same rows with the rarest cells as one, so that every expected count is `FEW` or more.

        One cell may be all that is left. Which cells are rare is read off both sides together.
        """
        order = np.argsort(self._expected, kind="stable")
        # From the rarest on, until they are frequent together and the next is so by itself.
        together, alone = np.cumsum(self._expected[order]), self._expected[order] >= FEW
        n_rare = int(np.argmax((together >= FEW) & np.append(alone[1:], True)))
        starts = np.append(0, np.arange(n_rare + 1, len(order)))
        return Cells(*(np.add.reduceat(side[order], starts) for side in (self.reference, self.window)))


def _spread_with_others(
    reference: CategoricalCounts, window: CategoricalCounts, union: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both sides' counts, the `RARE` labels' among those of all others, where there are others."""
    before, after = _spread(reference, union), _spread(window, union)
    others = union == OTHER_LABELS
    if not others.any():
        return before, after
    together = others | (before < RARE)
    return _moved(before, together, others), _moved(after, together, others)


def _moved(side: NDArray[np.int64], source: NDArray[np.bool_], target: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(target, side[source].sum(), np.where(source, 0, side))


def _spread(side: CategoricalCounts, union: NDArray[np.object_]) -> NDArray[np.int64]:
    frequencies = np.zeros(len(union), dtype=np.int64)
    frequencies[np.searchsorted(union, side.values)] = side.counts
    return frequencies


_MAX_CONTRIBUTORS = 5


def top_contributors(cells: Cells) -> tuple[Contributor, ...]:
    """Return up to five cells that moved most, the largest ``|q - p|`` first; equal moves in the cells' order.

    Raises
    ------
    ValueError
        If the cells have no labels.
    """
    if cells.labels is None:
        raise ValueError("the cells must have labels, got none")
    p, q = cells.shares
    # Whole numbers: equal moves are equal.
    moves = np.abs(cells.window * cells.n_reference - cells.reference * cells.n_window)
    order = np.argsort(-moves, kind="stable")[:_MAX_CONTRIBUTORS].tolist()
    return tuple(Contributor(str(cells.labels[i]), float(p[i]), float(q[i])) for i in order if moves[i])


_MAX_ROWS = 1_000_000_000
"""numpy's own limit of the multivariate hypergeometric distribution."""
_FIRST_BATCH = 200
_MAX_BATCH_NUMBERS = 500_000
"""Bound of memory: 4 MB for each array of a batch."""


def can_permute(cells: Cells) -> bool:
    """Return whether there are few enough rows for `permutations`."""
    return cells.n_reference + cells.n_window < _MAX_ROWS


def permutations(cells: Cells, n_permutations: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield window counts of `n_permutations` random divisions of the pooled rows, in batches of shape (n, n_cells).

    Null: reference and window are one population, divided at random; the pooled count of each cell stays. Batch size
    doubles, so that callers can stop early. Equal arguments give equal batches.
    """
    random = np.random.default_rng(seed)
    most = max(1, _MAX_BATCH_NUMBERS // len(cells.pooled))
    n_left, batch = n_permutations, _FIRST_BATCH
    while n_left:
        size = min(batch, most, n_left)
        yield random.multivariate_hypergeometric(cells.pooled, cells.n_window, size=size, method="marginals")
        n_left, batch = n_left - size, 2 * batch


_N_PERMUTATIONS = 1999
_RANKED_PERMUTATIONS = 500
"""From as many permutations on the quantile is read off them."""
_MIN_PERMUTATIONS = 40
_MAX_NUMBERS = 1_000_000
"""Bound of permutations times cells: a third of a second."""


def permutation_quantile(
    cells: Cells,
    statistic: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
    level: float = 0.99,
) -> float:
    """Return what the statistic of a random division of the pooled rows stays below with probability `level`.

    Parameters
    ----------
    statistic
        Takes rows of shares of reference and window, shape (n, n_cells) each, and returns shape (n,).
    """
    n_drawn = min(max(_MAX_NUMBERS // len(cells.pooled), _MIN_PERMUTATIONS), _N_PERMUTATIONS)
    drawn = np.concatenate(
        [
            statistic((cells.pooled - batch) / cells.n_reference, batch / cells.n_window)
            for batch in permutations(cells, n_drawn, seed)
        ]
    )
    if n_drawn >= _RANKED_PERMUTATIONS:
        # The one of the ordered statistics that a further one stays below with probability `level`.
        return float(np.sort(drawn)[math.ceil(level * (n_drawn + 1)) - 1])
    return float(drawn.mean() + special.ndtri(level) * drawn.std())

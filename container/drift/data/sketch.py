"""Numbers in buckets of a fixed relative width: what value counts become when there are too many distinct values.

A number's bucket depends on nothing but the number, so that buckets of parts add up to the buckets of the whole,
in any order. (Sketches that choose what to keep as they go, KLL and t-digest, do not have that.)

References
----------
Masson, Rim and Lee (2019), DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees,
section 2; the mapping is that of its authors' package.
"""

import dataclasses
import math
from functools import cache

import numpy as np
from ddsketch.mapping import LogarithmicMapping
from numpy.typing import NDArray

from plumbline.drift.data.counts import NumericCounts, summed

RELATIVE_ERROR = 0.001
"""A bucket's representative is within this share of every number in it."""
_KEYS_PER_DOUBLING = 1 / math.log1p(2 * RELATIVE_ERROR / (1 - RELATIVE_ERROR)) * math.log(2)
"""Section 2 of the paper: a bucket is wider than the one before by (1 + error) / (1 - error)."""


@cache
def _mapping() -> LogarithmicMapping:
    return LogarithmicMapping(RELATIVE_ERROR)


@cache
def _representative(key: int) -> float:
    return _mapping().value(key)


def representatives(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the representative of each finite number's bucket: same shape; 0 stands for itself.

    Numbers too small for the mapping, below about 2e-308, count as 0; a representative is its own.
    """
    mapping = _mapping()
    magnitudes = np.abs(values)
    inside = magnitudes > mapping.min_possible
    keys, positions = np.unique(_keys(np.minimum(magnitudes[inside], mapping.max_possible)), return_inverse=True)
    found = np.array([_representative(int(key)) for key in keys], dtype=np.float64)
    result = np.zeros(len(values))
    result[inside] = np.copysign(found[positions], values[inside])
    return result


def bucketed(counts: NumericCounts) -> NumericCounts:
    """Return the counts with each value replaced by its bucket's representative."""
    values, sums = summed(representatives(counts.values), counts.counts)
    return dataclasses.replace(counts, values=values, counts=sums, relative_error=RELATIVE_ERROR)


def _keys(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the package's key of each positive number; its own function takes one number at a time."""
    return np.asarray(np.ceil(np.log(magnitudes) / np.log(2.0) * _KEYS_PER_DOUBLING))

"""64-bit hashes, equal on every machine. None of them guards against an attacker; all collisions are harmless."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

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

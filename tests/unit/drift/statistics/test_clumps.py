"""The level of the tests where rows come in blocks, and what they keep of their power."""

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.drift.compare.features import ColumnComparison, compare
from plumbline.drift.data.counts import count
from plumbline.drift.reference.blocks import column_correlation
from plumbline.drift.statistics.clumps import INDEPENDENT, DesignEffects, scaled
from plumbline.drift.statistics.declaration import Evidence

SIZE, N_REFERENCE, N_WINDOW = 25, 200, 20
"""Rows of a block, and blocks of either side."""


def ages(random: np.random.Generator, n_blocks: int) -> NDArray[np.float64]:
    return np.repeat(0.5 * random.normal(size=n_blocks), SIZE) + random.normal(size=n_blocks * SIZE)


def sites(random: np.random.Generator, n_blocks: int) -> NDArray[np.object_]:
    own = np.repeat(random.integers(0, 4, n_blocks), SIZE)
    other = random.integers(0, 4, n_blocks * SIZE)
    chosen = np.where(random.random(n_blocks * SIZE) < 0.4, own, other)
    return np.asarray(np.array(list("abcd"), dtype=object)[chosen])


def comparisons(drawn: object, kind: FeatureType, n_studies: int) -> list[tuple[ColumnComparison, ColumnComparison]]:
    found = []
    for seed in range(n_studies):
        random = np.random.default_rng(seed)
        reference, window = drawn(random, N_REFERENCE), drawn(random, N_WINDOW)  # type: ignore[operator]
        alike = column_correlation(kind, reference, np.repeat(np.arange(N_REFERENCE), SIZE))
        effect = 1 + (SIZE - 1) * alike
        sides = count(kind, reference), count(kind, window)
        found.append(
            (compare("x", *sides), compare("x", *sides, clumps=DesignEffects(reference=effect, window=effect)))
        )
    return found


@pytest.mark.parametrize(("drawn", "kind"), [(ages, FeatureType.NUMERIC), (sites, FeatureType.CATEGORICAL)])
def test_clumped_rows_keep_the_level(drawn: object, kind: FeatureType) -> None:
    """Of 150 studies 15 are above what 5 % reach with a probability of 0.994: 0.6 % false failures of this test."""
    found = comparisons(drawn, kind, 150)
    plain = sum(one.evidence.p_value < 0.05 for one, _ in found if one.evidence)
    blocked = sum(one.evidence.p_value < 0.05 for _, one in found if one.evidence)
    assert plain > 60
    assert blocked <= 15
    distances = [one.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE) or 0.0 for _, one in found]
    assert sum(size > one.null_q99_distance for size, (_, one) in zip(distances, found, strict=True)) <= 6


def test_shift_of_clumped_rows_is_found() -> None:
    shifted = comparisons(lambda random, n: ages(random, n) + (n == N_WINDOW), FeatureType.NUMERIC, 10)
    assert all(one.evidence.p_value < 0.001 for _, one in shifted if one.evidence)


def test_independent_rows_lose_nothing() -> None:
    random = np.random.default_rng(0)
    sides = count(FeatureType.NUMERIC, ages(random, 40)), count(FeatureType.NUMERIC, ages(random, 20))
    assert compare("x", *sides, clumps=DesignEffects(1.0, 1.0)) == compare("x", *sides, clumps=INDEPENDENT)


def test_evidence_of_a_fraction_shrinks_with_the_effective_rows() -> None:
    found = scaled(Evidence("t", 0.1, 1e-8), 0.25)
    assert found is not None
    assert found.p_value == pytest.approx(0.01)
    assert scaled(None, 0.25) is None

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.records import Contributor, EffectMeasure
from plumbline.drift.compare.features import compare
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.data.sketch import RELATIVE_ERROR, bucketed
from plumbline.drift.statistics.power import Sought


def numeric(values: np.ndarray) -> NumericCounts:
    return NumericCounts.of(np.asarray(values, dtype=np.float64))


def labels(*values: str | None) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def rows(n: int, seed: int) -> NumericCounts:
    return numeric(np.random.default_rng(seed).lognormal(3, 0.5, n))


def test_a_side_in_buckets_is_compared_in_buckets() -> None:
    reference, window = rows(4000, 1), rows(3000, 2)
    exact = compare("pay", reference, window)
    for sides in (
        (bucketed(reference), window),
        (reference, bucketed(window)),
        (bucketed(reference), bucketed(window)),
    ):
        found = compare("pay", *sides)
        assert found.relative_error == RELATIVE_ERROR
        assert found.evidence is not None and exact.evidence is not None
        # The text names the bound: the largest share of one bucket.
        bound = float(str(found.notes[0]).split("larger by ")[1].split()[0])
        assert 0 <= exact.evidence.statistic - found.evidence.statistic <= bound < 0.01
        assert found.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE) == pytest.approx(
            exact.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE), abs=0.01
        )
    assert (exact.relative_error, exact.notes) == (None, ())


def test_an_equal_pair_in_buckets_has_no_distance() -> None:
    reference = rows(4000, 1)
    found = compare("pay", bucketed(reference), reference)
    assert (found.effect(EffectMeasure.DRIFT_SCORE), found.effect(EffectMeasure.WASSERSTEIN_DISTANCE)) == (0, 0)


def test_the_parts_that_moved_are_named() -> None:
    found = compare("job", labels(*"aaab"), labels(*"abbb"))
    assert found.top_contributors == (Contributor("a", 0.75, 0.25), Contributor("b", 0.25, 0.75))


def test_the_rows_that_an_effect_takes_are_told_when_asked_for() -> None:
    reference, window = rows(20_000, 1), rows(500, 2)
    assert compare("pay", reference, window).min_sample_size is None
    sought = Sought(EffectMeasure.JENSEN_SHANNON_DISTANCE, 0.1, 0.05)
    # Ten bins: Guenther's noncentrality for 9 degrees of freedom at .05 and power .8 is 15.7; the floor of chance is
    # chi2(.99; 9) = 21.67, and 21.67 / (8 ln 2 * .01) = 390.7 rows, or 398.5 against 20,000.
    assert compare("pay", reference, window, sought=sought).min_sample_size == 399


def test_random_divisions_follow_the_seed() -> None:
    reference, window = labels(*"a" * 300, *"bc"), labels(*"a" * 60, *"bcd")
    assert compare("job", reference, window, seed=3) == compare("job", reference, window, seed=3)
    assert compare("job", reference, window, seed=3) != compare("job", reference, window, seed=4)


@pytest.mark.parametrize(
    ("reference", "window", "reason"),
    [
        (numeric(np.arange(9.0)), numeric(np.array([])), "the window has no rows"),
        (numeric(np.array([])), numeric(np.arange(9.0)), "the reference has no rows"),
        (numeric(np.arange(9.0)), numeric(np.full(3, np.nan)), "every value is missing in the window"),
        (labels(None), labels("a"), "every value is missing in the reference"),
        (
            numeric(np.arange(9.0)),
            replace(numeric(np.array([np.nan])), unreadable={"not_a_number": 4}),
            "every value is unreadable or missing in the window",
        ),
    ],
)
def test_what_cannot_be_compared_has_a_reason(reference: NumericCounts, window: NumericCounts, reason: str) -> None:
    found = compare("x", reference, window)
    assert (found.evidence, str(found.not_compared)) == (None, reason)


def test_unreadable_cells_are_not_missing() -> None:
    window = replace(numeric(np.arange(50.0)), unreadable={"not_a_number": 50})
    found = compare("x", numeric(np.arange(100.0)), window)
    assert found.missing_evidence is not None
    assert (found.missing_fraction, found.missing_evidence.p_value) == (0, 1)


@pytest.mark.parametrize("value", [0.0, -1e308, 5e-324, np.inf])
def test_a_constant_column_breaks_nothing(value: float) -> None:
    same = numeric(np.full(30, value))
    found = compare("x", same, same)
    assert found.evidence is not None
    assert (found.effect(EffectMeasure.DRIFT_SCORE), found.evidence.p_value, found.top_contributors) == (0, 1, ())


def test_a_constant_that_changed_is_told_by_its_parts() -> None:
    found = compare("x", numeric(np.full(30, 7.0)), numeric(np.full(20, 8.0)))
    assert found.top_contributors == (Contributor("= 7", 1, 0), Contributor("> 7", 0, 1))
    assert str(*found.notes) == "no Wasserstein distance: the reference is constant or a value is infinite"


def test_an_analysis_does_not_import_scipy_stats() -> None:
    # It takes longer than reading a hundred thousand records.
    program = "import plumbline.drift.judge.analysis, sys; sys.exit('scipy.stats' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0

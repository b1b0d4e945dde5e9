from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from plumbline.contract.records import FeatureType, Status
from plumbline.drift.compare.classifier_test import area_and_p_value, separability
from plumbline.drift.compare.design_matrix import design
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn

SPECS = (
    FeatureSpec("x", FeatureType.NUMERIC),
    FeatureSpec("y", FeatureType.NUMERIC),
    FeatureSpec("job", FeatureType.CATEGORICAL),
)


def rows(n: int, seed: int, correlation: float = 0.0) -> Table:
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    y = correlation * x + np.sqrt(1 - correlation**2) * random.normal(size=n)
    y[random.uniform(size=n) < 0.05] = np.nan
    jobs = random.choice(np.array(["a", "b", None], dtype=object), n)
    return Table(SPECS, {"x": x, "y": y, "job": jobs})


def baseline(sample: Table) -> Baseline:
    learned = learn(train=sample, target_label="z")
    return Baseline(**{**vars(learned), "sample": sample})


REFERENCE = baseline(rows(1000, 1))


def test_rows_of_one_distribution_are_not_told_apart() -> None:
    found = separability(REFERENCE, rows(1000, 2), seed=0)
    assert (found.status, found.n_reference, found.n_window) == (Status.ESTIMATED, 1000, 1000)
    assert found.area_under_curve == pytest.approx(0.5, abs=0.06)
    assert found.p_value is not None and found.p_value > 0.01


def test_columns_that_drift_together_but_not_alone_are_told_apart() -> None:
    found = separability(REFERENCE, rows(1000, 2, correlation=0.9), seed=0)
    assert found.area_under_curve is not None and found.area_under_curve > 0.7
    # The smallest of 999 permutations.
    assert found.p_value == 0.001


def test_a_shifted_column_is_told_apart() -> None:
    shifted = rows(1000, 2)
    columns: dict[str, Any] = {**shifted.columns, "x": shifted.columns["x"] + 6.0}
    found = separability(REFERENCE, Table(SPECS, columns), seed=0)
    assert found.area_under_curve == pytest.approx(1.0, abs=0.02)


def test_an_ignored_column_tells_nothing_apart() -> None:
    columns: dict[str, Any] = {**rows(1000, 2).columns, "x": np.arange(1000.0) + 1e6}
    found = separability(REFERENCE, Table(SPECS, columns), seed=0, ignored=frozenset({"x"}))
    assert found.area_under_curve == pytest.approx(0.5, abs=0.06)


def test_nothing_is_told_apart_by_ignored_columns_alone() -> None:
    found = separability(REFERENCE, rows(1000, 2), seed=0, ignored=frozenset({"x", "y", "job"}))
    assert (found.status, str(found.reason)) == (Status.NOT_JUDGED, "every feature is ignored by the policy")


def test_equal_arguments_give_equal_numbers_and_other_seeds_others() -> None:
    one, same, other = (separability(REFERENCE, rows(1000, 2), seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_repeated_rows_are_not_known_again() -> None:
    # The window repeats 250 fresh rows four times: a classifier that had seen half the copies would know the rest.
    few = rows(250, 2)
    columns: dict[str, Any] = {name: np.tile(column, 4) for name, column in few.columns.items()}
    found = separability(REFERENCE, Table(SPECS, columns), seed=0)
    assert found.area_under_curve == pytest.approx(0.5, abs=0.1)


def test_at_most_two_thousand_rows_of_each_side_are_used() -> None:
    found = separability(baseline(rows(2500, 1)), rows(2300, 2), seed=0)
    assert (found.n_reference, found.n_window) == (2000, 2000)


def test_few_rows_and_no_rows_are_refused() -> None:
    few = separability(REFERENCE, rows(199, 2), seed=0)
    assert (few.status, few.area_under_curve) == (Status.NOT_JUDGED, None)
    assert str(few.reason) == "1000 reference rows and 199 of the window, fewer than 200 on a side"
    without = Baseline(**{**vars(REFERENCE), "sample": None})
    assert str(separability(without, rows(500, 2), seed=0).reason) == "the baseline has no rows to compare with"


def test_rows_that_are_all_the_same_are_refused() -> None:
    same = Table(SPECS, {name: column[:1].repeat(500) for name, column in rows(1, 1).columns.items()})
    found = separability(baseline(same), same, seed=0)
    assert str(found.reason) == "too many rows are identical to be divided in two halves"


def test_the_p_value_is_as_often_small_as_it_says() -> None:
    # 40 quiet windows: more than 7 below 0.05 has a probability of 0.0004 (binomial).
    found = [separability(baseline(rows(300, seed)), rows(300, 1000 + seed), seed).p_value for seed in range(40)]
    assert sum(p is not None and p < 0.05 for p in found) <= 7


def test_the_design_has_ranks_marks_and_absences() -> None:
    table = Table(
        (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("job", FeatureType.CATEGORICAL)),
        {"x": np.array([5.0, np.nan, 1.0, 5.0]), "job": np.array(["b", "a", None, "b"], dtype=object)},
    )
    # Ranks of 1, 5, 5 in three values: middle of the first third; middle of the other two thirds.
    expected = [
        [2 / 3, 0, 1, 0, 0],
        [0.5, 1, 0, 1, 0],
        [1 / 6, 0, 0, 0, 1],
        [2 / 3, 0, 1, 0, 0],
    ]
    assert design(table) == pytest.approx(np.array(expected))


def test_the_area_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    scores, labels = random.integers(0, 20, 300) / 20, random.uniform(size=300) < 0.4
    observed, _ = area_and_p_value(scores, labels, random)
    assert observed == pytest.approx(roc_auc_score(labels, scores))

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import ISOLATION_FOREST_NOTE, FeatureType, IsolationForestSimilarity, Status
from plumbline.drift.compare import isolation_forest
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn

SPECS = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("c", FeatureType.CATEGORICAL))


def table(x: NDArray[np.float64], c: list[str | None] | None = None) -> Table:
    return Table(SPECS, {"x": x, "c": np.array(c or ["a", "b"] * (len(x) // 2), dtype=object)})


def reference(probabilities: NDArray[np.float64] | None, positive: NDArray[np.bool_]) -> Baseline:
    rows = table(np.random.default_rng(3).normal(size=len(positive)))
    labels = ["yes" if value else "no" for value in positive]
    return learn(train=rows, target_label="y", test=rows, test_labels=labels, probabilities=probabilities)


RIGHT = np.arange(400) % 2 == 0
BASELINE = reference(np.where(RIGHT, 0.9, 0.1), RIGHT)


def difference(found: IsolationForestSimilarity) -> float:
    assert found.status is Status.ESTIMATED
    assert found.relative_difference_percent is not None
    return found.relative_difference_percent


def test_the_rows_it_was_fitted_on_are_alike() -> None:
    assert BASELINE.test is not None
    assert difference(isolation_forest.similarity(BASELINE, BASELINE.test.table, seed=0)) == 0


def test_a_stranger_window_is_negative_and_a_more_typical_one_positive() -> None:
    assert difference(isolation_forest.similarity(BASELINE, table(np.full(100, 8.0)), seed=0)) < -10
    assert difference(isolation_forest.similarity(BASELINE, table(np.zeros(100)), seed=0)) > 5


def test_the_forest_knows_only_the_rows_predicted_right() -> None:
    # Rows far out are predicted wrong; a window that looks like them is stranger than one that looks like the others.
    x = np.concatenate([np.random.default_rng(4).normal(size=300), np.full(100, 9.0)])
    rows = table(x)
    wrong = np.arange(400) >= 300
    labels = ["yes" if value else "no" for value in RIGHT]
    scores = np.where(RIGHT ^ wrong, 0.9, 0.1)
    partly = learn(train=rows, target_label="y", test=rows, test_labels=labels, probabilities=scores)
    wholly = learn(train=rows, target_label="y", test=rows, test_labels=labels, probabilities=np.where(RIGHT, 0.9, 0.1))
    far = table(np.full(100, 9.0))
    partly_found = difference(isolation_forest.similarity(partly, far, seed=0))
    assert partly_found < difference(isolation_forest.similarity(wholly, far, seed=0)) - 5


def test_the_same_seed_gives_the_same_number() -> None:
    window = table(np.linspace(-1, 1, 50))
    assert isolation_forest.similarity(BASELINE, window, seed=5) == isolation_forest.similarity(
        BASELINE, window, seed=5
    )


def test_one_unseen_label_does_not_recode_the_others() -> None:
    # The reference task refitted its encoder per window: one extra row moved its number by ten points.
    x = np.random.default_rng(6).normal(size=400)
    plain = difference(isolation_forest.similarity(BASELINE, table(x, ["a", "b"] * 200), seed=0))
    extra = difference(isolation_forest.similarity(BASELINE, table(x, ["_new", "b", *["a", "b"] * 199]), seed=0))
    assert abs(plain - extra) < 0.5


def test_missing_cells_are_encoded_not_refused() -> None:
    window = table(np.full(100, np.nan), [None] * 100)
    assert np.isfinite(difference(isolation_forest.similarity(BASELINE, window, seed=0)))


def test_a_column_without_any_reference_value_is_encoded_too() -> None:
    rows = table(np.full(400, np.nan))
    labels = ["yes" if value else "no" for value in RIGHT]
    empty = learn(train=rows, target_label="y", test=rows, test_labels=labels, probabilities=np.where(RIGHT, 0.9, 0.1))
    assert difference(isolation_forest.similarity(empty, rows, seed=0)) == 0


@pytest.mark.parametrize(
    ("baseline", "rows", "reason"),
    [
        (learn(train=table(np.zeros(2)), target_label="y"), 2, "no labelled test set"),
        (reference(None, RIGHT), 2, "no labelled test set"),
        (reference(np.zeros(400), np.zeros(400, dtype=bool)), 2, "no labelled test set of two classes"),
        (reference(np.where(RIGHT, 0.1, 0.9), RIGHT), 2, "predicted no row of the test set right"),
        (BASELINE, 0, "the window has no rows"),
    ],
)
def test_says_why_it_gives_no_number(baseline: Baseline, rows: int, reason: str) -> None:
    found = isolation_forest.similarity(baseline, table(np.zeros(rows)), seed=0)
    assert found.status is Status.NOT_JUDGED
    assert reason in str(found.reason)
    assert found.relative_difference_percent is None


def test_scikit_learn_is_not_loaded_by_an_import() -> None:
    program = "import plumbline.drift.judge.analysis, sys; sys.exit('sklearn' in sys.modules)"
    paths = [path for path in sys.path if path]
    environment = {"PYTHONPATH": ":".join(paths)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_the_note_names_both_measured_errors() -> None:
    assert "11.4" in ISOLATION_FOREST_NOTE
    assert "0.6 points" in ISOLATION_FOREST_NOTE
    assert "not an accuracy" in ISOLATION_FOREST_NOTE

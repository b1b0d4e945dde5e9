from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType, ProjectedAccuracy, RecordCounts, Status, WindowBounds
from plumbline.drift.compare.design_matrix import row_groups
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.projection import Projector
from plumbline.drift.projection.estimate import METHOD
from plumbline.drift.projection.recalibration import ScoredLabels
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from tests.oracles.counted_rows import CapturedWindow, count_rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SPECS = (FeatureSpec("x", FeatureType.NUMERIC),)


def baseline(probabilities: Floats | None, positive: Flags, labels: tuple[str, str] = ("no", "yes")) -> Baseline:
    rows = Table(SPECS, {"x": np.arange(len(positive), dtype=np.float64)})
    texts = [labels[int(value)] for value in positive]
    return learn(train=rows, target_label="y", test=rows, test_labels=texts, probabilities=probabilities)


def window(probabilities: Floats, x: Floats | None = None) -> CapturedWindow:
    column = np.arange(len(probabilities), dtype=np.float64) if x is None else x
    counts = RecordCounts(len(column), len(column))
    return CapturedWindow(WindowBounds(), Table(SPECS, {"x": column}), probabilities, counts)


def projected(reference: Baseline, captured: CapturedWindow, seed: int) -> ProjectedAccuracy:
    # The only feature numbers the rows: no two windows have the same, and a classifier would know them by it.
    projector = Projector.of(reference, seed=seed, ignored=frozenset({"x"}))
    return projector.project(count_rows(reference, captured), drop_threshold=0.02)


def alternating(n: int, n_positive_of_ten: int) -> Flags:
    return np.arange(n) % 10 < n_positive_of_ten


def two_scores(n: int = 1000) -> Baseline:
    """Half of the rows score .2 and are positive in 1 of 10, half score .7 and are positive in 8 of 10."""
    scores = np.repeat([0.2, 0.7], n // 2)
    return baseline(scores, np.concatenate([alternating(n // 2, 1), alternating(n // 2, 8)]))


def test_the_estimate_is_the_mean_calibrated_confidence() -> None:
    # Rightly negative 9 of 10 times at .2, rightly positive 8 of 10 times at .7; a window of one to three.
    found = projected(two_scores(), window(np.repeat([0.2, 0.7], [250, 750])), seed=1)
    assert found.status is Status.ESTIMATED
    assert found.method == METHOD
    assert found.estimate == pytest.approx(0.25 * 0.9 + 0.75 * 0.8)
    assert found.reference == pytest.approx(0.85)
    assert found.drop == pytest.approx(0.025)


def test_the_interval_adds_the_noise_of_reference_and_labels() -> None:
    found = projected(two_scores(), window(np.repeat([0.2, 0.7], [250, 750])), seed=1)
    label_noise = (250 * 0.9 * 0.1 + 750 * 0.8 * 0.2) / 1000**2
    reference_noise = 0.25**2 * 0.9 * 0.1 / 500 + 0.75**2 * 0.8 * 0.2 / 500
    assert found.lower is not None
    assert found.upper is not None
    assert found.estimate is not None
    half_width = (found.upper - found.lower) / 2
    # A standard deviation from 100 resamples is off by 7 % at one sigma; the label noise dilutes that.
    assert half_width == pytest.approx(1.96 * sqrt(label_noise + reference_noise), rel=0.15)
    assert found.lower < found.estimate < found.upper


def test_identical_rows_share_one_draw_of_their_label() -> None:
    scores = np.full(1000, 0.2)
    distinct = projected(two_scores(20_000), window(scores), seed=1)
    repeated = projected(two_scores(20_000), window(scores, x=np.repeat(np.arange(250.0), 4)), seed=1)
    assert distinct.estimate == pytest.approx(repeated.estimate, rel=1e-12)
    # Four copies of 250 rows know as much as 250 rows: twice the width.
    ratio = _width(repeated) / _width(distinct)
    assert ratio == pytest.approx(2, rel=0.05)


def _width(found: ProjectedAccuracy) -> float:
    assert found.upper is not None
    assert found.lower is not None
    return found.upper - found.lower


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = np.repeat([0.2, 0.7], 250)
    assert projected(two_scores(), window(scores), seed=3) == projected(two_scores(), window(scores), seed=3)


def test_rows_without_a_prediction_are_left_out_and_counted() -> None:
    scores = np.repeat([0.2, 0.7, np.nan], [300, 300, 400])
    found = projected(two_scores(), window(scores), seed=1)
    assert found.estimate == pytest.approx(0.85)
    assert str(found.reason) == "from the 600 of 1000 rows with a prediction"


def test_the_interval_stays_within_zero_and_one() -> None:
    scores = np.repeat([0.1, 0.9], 400)
    found = projected(baseline(scores, scores > 0.5), window(scores), seed=1)
    assert found.upper == 1.0
    assert (found.lower, found.estimate) == pytest.approx((1.0, 1.0), rel=1e-12)
    assert found.estimate is not None
    assert found.estimate <= 1


def refused(found: ProjectedAccuracy) -> str:
    assert found.status is Status.NOT_JUDGED
    assert (found.estimate, found.lower, found.upper, found.drop, found.method) == (None,) * 5
    return str(found.reason)


def test_refuses_a_baseline_without_test_set() -> None:
    bare = replace(two_scores(), test=None)
    assert refused(projected(bare, window(np.full(500, 0.2)), 1)) == "the baseline has no labelled test set"


def test_refuses_a_baseline_without_predictions() -> None:
    found = projected(baseline(None, alternating(1000, 5)), window(np.full(500, 0.2)), 1)
    assert refused(found) == "the baseline has no predictions for its test set"


def test_refuses_a_target_of_one_class() -> None:
    one = baseline(np.full(1000, 0.5), alternating(1000, 0))
    expected = "the target must have two classes, got 1 in the test set"
    assert refused(projected(one, window(np.full(500, 0.2)), 1)) == expected


def test_refuses_a_small_test_set() -> None:
    assert "498 rows, fewer than 500" in refused(projected(two_scores(498), window(np.full(500, 0.2)), 1))


def test_refuses_a_rare_class() -> None:
    positive = np.arange(1000) < 49
    found = projected(baseline(np.where(positive, 0.9, 0.1), positive), window(np.full(500, 0.2)), 1)
    assert refused(found) == "the smaller class of the test set has 49 rows, fewer than 50"


def test_refuses_when_no_prediction_was_captured() -> None:
    found = projected(two_scores(), window(np.full(500, np.nan)), 1)
    assert refused(found) == "no predictions were captured"
    assert found.reference == pytest.approx(0.85)


@pytest.mark.parametrize("value", [1.01, -0.5, np.inf])
def test_refuses_predictions_that_are_no_probabilities(value: float) -> None:
    scores = np.full(500, 0.2)
    scores[7] = value
    assert "not probabilities" in refused(projected(two_scores(), window(scores), 1))


def test_refuses_too_few_rows_with_a_prediction() -> None:
    scores = np.repeat([0.2, np.nan], [199, 500])
    found = projected(two_scores(), window(scores), 1)
    assert refused(found) == "199 rows with a captured prediction, fewer than 200"


def test_refuses_probabilities_that_rank_worse_than_chance() -> None:
    positive = alternating(1000, 3)
    backwards = baseline(np.where(positive, 0.1, 0.9), positive)
    assert "worse than chance (area under the curve 0.000)" in refused(
        projected(backwards, window(np.full(500, 0.1)), 1)
    )


def test_refuses_an_interval_too_wide_to_be_of_use() -> None:
    # One row repeated: a single draw of its label decides everything.
    found = projected(two_scores(), window(np.full(500, 0.7), x=np.zeros(500)), 1)
    assert "points either side of the estimate, more than 5" in refused(found)


def test_the_interval_covers_the_accuracy_that_labels_show() -> None:
    # 100 worlds: an overconfident model, a new reference sample and a shifted window each. With a true coverage of
    # 95 %, fewer than 86 of 100 happen in 1 run of 10,000 (binomial); 100 of 100 in 1 of 169, so that is no bound.
    random = np.random.default_rng(20)

    def sample(n: int, shape: tuple[float, float]) -> tuple[Floats, Flags]:
        truth = random.beta(*shape, size=n)
        return truth**3 / (truth**3 + (1 - truth) ** 3), random.uniform(size=n) < truth

    covered, errors = 0, []
    for seed in range(100):
        reference, labels = sample(2000, (1, 2)), sample(1000, (2, 2))
        found = projected(baseline(*reference), window(labels[0]), seed)
        accuracy = float(np.mean((labels[0] >= 0.5) == labels[1]))
        assert found.lower is not None
        assert found.upper is not None
        assert found.estimate is not None
        covered += found.lower <= accuracy <= found.upper
        errors.append(found.estimate - accuracy)
    assert covered >= 86
    # The estimate has no bias to speak of: 100 errors of about 2 points average within 4 * .02 / 10.
    assert abs(float(np.mean(errors))) < 0.008


def test_calibration_pools_adjacent_violators() -> None:
    # Shares of positives .0, 1.0, .5, 1.0 in ascending order of score: the middle two pool to .75.
    sample = ScoredLabels.of(
        np.repeat([0.1, 0.4, 0.6, 0.9], 2), np.array([False, False, True, True, False, True, True, True])
    )
    found = sample.calibrate(np.array([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0]), np.ones(8))
    assert found == pytest.approx([0, 0, 0.375, 0.75, 0.75, 0.75, 0.875, 1])


def test_a_row_of_weight_zero_is_as_good_as_absent() -> None:
    scores, positive = np.array([0.1, 0.5, 0.9]), np.array([False, True, False])
    weighted = ScoredLabels.of(scores, positive).calibrate(scores, np.array([1.0, 0.0, 2.0]))
    assert weighted == pytest.approx(ScoredLabels.of(scores[[0, 2]], positive[[0, 2]]).calibrate(scores, np.ones(2)))


def test_area_under_the_curve_counts_ties_half() -> None:
    # Pairs (positive, negative): .5 ties .5, .5 > .1, .9 > .5, .9 > .1: 3.5 of 4.
    sample = ScoredLabels.of(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True]))
    assert sample.area_under_curve() == 0.875


def test_rows_are_identical_only_when_every_cell_and_the_prediction_agree() -> None:
    specs = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("c", FeatureType.CATEGORICAL))
    columns: dict[str, Floats | NDArray[np.object_]] = {
        "x": np.array([1.0, 1.0, np.nan, np.nan, 1.0, 1.0]),
        "c": np.array(["a", "a", None, None, "b", "a"], dtype=object),
    }
    groups = row_groups(Table(specs, columns), np.array([0.5, 0.5, np.nan, np.nan, 0.5, 0.6]))
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups.tolist())) == 4


def smooth(n: int = 2000) -> Baseline:
    """Calibrated scores of .1 to .6."""
    random = np.random.default_rng(5)
    scores = random.uniform(0.1, 0.6, n)
    return baseline(scores, random.uniform(size=n) < scores)


SCORES = np.random.default_rng(6).uniform(0.1, 0.6, 1000)


def test_like_scores_are_projected() -> None:
    assert projected(smooth(), window(SCORES), 1).status is Status.ESTIMATED
    assert projected(smooth(), window(SCORES.round(2)), 1).status is Status.ESTIMATED


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ((SCORES > 0.4).astype(np.float64), "the endpoint answers labels"),
        (np.zeros(1000), "the endpoint answers labels"),
        (SCORES.round(1), "rounded to one digit"),
        (SCORES + 0.3, "lie where the test set has none, whose own are 0.1 to 0.6"),
        (SCORES / 100, "100 % of the captured predictions"),
        (np.where(np.arange(1000) < 200, 0.61, SCORES), "20 % of the captured predictions"),
    ],
)
def test_refuses_predictions_that_the_test_set_does_not_have(scores: Floats, told: str) -> None:
    found = projected(smooth(), window(scores), 1)
    assert told in refused(found)
    assert found.estimate is None


def test_refuses_predictions_in_a_hole_of_the_test_sets() -> None:
    random = np.random.default_rng(7)
    scores = np.concatenate([random.uniform(0.1, 0.2, 1000), random.uniform(0.8, 0.9, 1000)])
    reference = baseline(scores, random.uniform(size=2000) < scores)
    assert "lie where the test set has none" in refused(projected(reference, window(SCORES), 1))


def test_a_few_scores_beyond_the_test_sets_are_projected() -> None:
    scores = np.where(np.arange(1000) < 150, 0.61, SCORES)
    assert projected(smooth(), window(scores), 1).status is Status.ESTIMATED


def test_labels_are_projected_where_the_test_set_has_labels() -> None:
    positive = alternating(1000, 3)
    called = np.where(np.arange(1000) % 7 == 0, ~positive, positive).astype(np.float64)
    assert projected(baseline(called, positive), window(called), 1).status is Status.ESTIMATED

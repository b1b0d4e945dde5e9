from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.accuracy import Measure, ProjectedAccuracy
from plumbline.contract.records import FeatureType, RecordCounts, Status, Verdict, WindowBounds
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.projection import Projector
from plumbline.drift.projection.classes import METHOD
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from tests.oracles.counted_rows import CapturedWindow, count_rows

SPECS = (FeatureSpec("x", FeatureType.NUMERIC),)
SURE = {"a": 0.9, "b": 0.6, "c": 0.8}
"""The share of right predictions of each label; the model says 0.7 of all three."""


def called(sizes: Sequence[int]) -> list[str]:
    return [label for label, size in zip(SURE, sizes, strict=True) for _ in range(size)]


def rows(n: int, seed: int = 1) -> Table:
    return Table(SPECS, {"x": np.random.default_rng(seed).uniform(size=n)})


def reference(sizes: Sequence[int] = (1000, 1000, 1000)) -> Baseline:
    predicted = called(sizes)
    numbers = [number for size in sizes for number in range(size)]
    labels = [
        label if number % 10 < 10 * SURE[label] - 1e-9 else {"a": "b", "b": "c", "c": "a"}[label]
        for label, number in zip(predicted, numbers, strict=True)
    ]
    table = rows(len(labels))
    return learn(
        train=table,
        target_label="y",
        test=table,
        test_labels=labels,
        probabilities=np.full(len(labels), 0.7),
        predicted=predicted,
    )


def window(baseline: Baseline, sizes: Sequence[int], table: Table | None = None) -> WindowCounts:
    n = sum(sizes)
    captured = CapturedWindow(WindowBounds(), table or rows(n, 2), np.full(n, 0.7), RecordCounts(n, n))
    classes = {label: NumericCounts.of(np.full(size, 0.7)) for label, size in zip(SURE, sizes, strict=True) if size}
    return replace(count_rows(baseline, captured), classes=classes)


def projected(baseline: Baseline, captured: WindowCounts) -> ProjectedAccuracy:
    return Projector.of(baseline, seed=1).project(captured, drop_threshold=0.02)


def test_confidence_is_calibrated_for_each_predicted_label() -> None:
    baseline = reference()
    found = projected(baseline, window(baseline, (200, 1400, 400)))
    assert (found.status, found.method) == (Status.ESTIMATED, METHOD)
    assert found.estimate == pytest.approx((200 * 0.9 + 1400 * 0.6 + 400 * 0.8) / 2000)
    assert found.reference == pytest.approx((0.9 + 0.6 + 0.8) / 3)
    assert found.verdict is Verdict.DRIFT
    assert found.lower is not None and found.upper is not None and found.estimate is not None
    assert found.lower < found.estimate < found.upper


def test_the_interval_holds_the_noise_of_reference_and_labels() -> None:
    baseline = reference()
    found = projected(baseline, window(baseline, (200, 1400, 400)))
    parts = zip(SURE.values(), (200, 1400, 400), strict=True)
    noise = sum(q * (1 - q) * (n / 2000**2 + (n / 2000) ** 2 / 1000) for q, n in parts)
    assert found.lower is not None and found.upper is not None and found.evidence.spread is not None
    deviation = np.sqrt(noise + found.evidence.spread**2)
    # A standard deviation from 100 resamples is off by 7 % at one sigma.
    assert (found.upper - found.lower) / 2 == pytest.approx(1.96 * deviation, rel=0.2)


def test_a_label_with_few_rows_is_calibrated_with_all_others() -> None:
    baseline = reference((1000, 1000, 100))
    pooled = (1000 * 0.9 + 1000 * 0.6 + 100 * 0.8) / 2100
    found = projected(baseline, window(baseline, (0, 0, 1000)))
    assert found.estimate == pytest.approx(pooled)


def test_macro_precision_is_expected_and_what_needs_other_probabilities_is_not() -> None:
    baseline = reference()
    found = {one.measure: one for one in projected(baseline, window(baseline, (200, 1400, 400))).measures}
    assert found[Measure.PRECISION].value == pytest.approx((0.9 + 0.6 + 0.8) / 3)
    for measure in (Measure.AREA_UNDER_CURVE, Measure.RECALL, Measure.F1):
        assert found[measure].status is Status.NOT_JUDGED
        assert "the probability of every class" in str(found[measure].reason)


def test_label_shift_is_no_scenario_of_several_classes() -> None:
    baseline = reference()
    scenario = projected(baseline, window(baseline, (500, 500, 500))).label_shift
    assert scenario.status is Status.NOT_JUDGED and "two classes" in str(scenario.reason)


def test_refuses_a_window_far_from_the_test_set() -> None:
    baseline = reference()
    far = Table(SPECS, {"x": np.linspace(0.97, 0.98, 1500)})
    found = projected(baseline, window(baseline, (500, 500, 500), far))
    assert "tells the window's rows" in str(found.reason)
    assert found.estimate is None


def test_refuses_a_test_set_of_right_predictions_alone() -> None:
    baseline = reference()
    assert baseline.test is not None and baseline.test.predicted is not None
    perfect = replace(baseline, test=replace(baseline.test, labels=baseline.test.predicted))
    found = projected(perfect, window(perfect, (500, 500, 500)))
    assert str(found.reason) == "0 predictions of the test set are wrong, fewer than 50"


def test_refuses_a_test_set_without_predicted_labels() -> None:
    baseline = reference()
    assert baseline.test is not None
    bare = replace(baseline, test=replace(baseline.test, predicted=None))
    found = projected(bare, window(bare, (500, 500, 500)))
    assert str(found.reason) == "the baseline does not have the predicted labels of its test set"


def test_a_window_of_few_rows_is_refused() -> None:
    baseline = reference()
    assert "fewer than 200" in str(projected(baseline, window(baseline, (60, 60, 60))).reason)

"""What holds for every window: a report comes out, in any order of features, and says only what it may."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.contract.records import DriftReport, EffectMeasure, FeatureType, RecordCounts, Verdict, WindowBounds
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts, ValueCounts
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.analysis import analyse
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.judge.window_counts import merged
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from tests.oracles.counted_rows import CapturedWindow, count_rows

SPECS = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("k", FeatureType.CATEGORICAL))
numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 1.7e308, -1.7e308, 5e-324, float("nan")]),
    st.floats(allow_nan=False, allow_infinity=False),
)
labels = st.one_of(st.none(), st.sampled_from(["a", "b", "1", "?"]), st.text(max_size=3))
tables = st.lists(st.tuples(numbers, labels), min_size=1, max_size=60)
policies = st.builds(
    Policy,
    minimum_rows=st.integers(2, 30),
    effect_measure=st.just(EffectMeasure.JENSEN_SHANNON_DISTANCE),
    drifted_fraction=st.one_of(st.none(), st.floats(0.01, 1.0)),
    features=st.dictionaries(
        st.sampled_from(["x", "k"]),
        st.builds(FeaturePolicy, critical=st.booleans(), ignore=st.booleans()),
    ),
)


def table(rows: list[tuple[float, str | None]]) -> Table:
    x = np.array([row[0] for row in rows], dtype=np.float64)
    return Table(SPECS, {"x": x, "k": np.array([row[1] for row in rows], dtype=object)})


def counted(baseline: Baseline, rows: list[tuple[float, str | None]]) -> WindowCounts:
    n = len(rows)
    captured = CapturedWindow(WindowBounds(), table(rows), np.full(n, np.nan), RecordCounts(n, n))
    return count_rows(baseline, captured)


def report(baseline: Baseline, window: WindowCounts, policy: Policy) -> DriftReport:
    return analyse(baseline, window, RunContext(policy=policy))


@settings(max_examples=60, deadline=None)
@given(tables, tables, policies)
def test_whatever_the_values_a_report_comes_out_and_says_which(
    reference: list[tuple[float, str | None]], window: list[tuple[float, str | None]], policy: Policy
) -> None:
    baseline = learn(train=table(reference), target_label="y")
    found = report(baseline, counted(baseline, window), policy)
    assert DriftReport.from_json(found.to_json()) == found
    assert not found.internal_faults
    for feature in found.features:
        assert str(feature.reason)
        ignored = feature.name in policy.features and policy.features[feature.name].ignore
        assert not (ignored and feature.verdict is not Verdict.NOT_JUDGED)
        assert feature.p_value_adjusted is None or feature.p_value_adjusted >= (feature.p_value or 0)


@settings(max_examples=40, deadline=None)
@given(tables, tables, st.dictionaries(st.sampled_from(["not_a_number", "not_finite"]), st.integers(1, 500)))
def test_cells_that_cannot_be_read_leave_the_other_features_alone(
    reference: list[tuple[float, str | None]], rows: list[tuple[float, str | None]], unreadable: dict[str, int]
) -> None:
    baseline = learn(train=table(reference), target_label="y")
    window = counted(baseline, rows)
    broken = replace(window, columns={**window.columns, "x": replace(window.columns["x"], unreadable=unreadable)})
    sound, found = (report(baseline, each, Policy(minimum_rows=2)).features[1] for each in (window, broken))
    assert (sound.effect(EffectMeasure.DRIFT_SCORE), sound.p_value, sound.unreadable) == (
        found.effect(EffectMeasure.DRIFT_SCORE),
        found.p_value,
        found.unreadable,
    )


def as_plain(counts: ValueCounts) -> Any:
    return counts.values.tolist(), counts.counts.tolist(), counts.n_missing, counts.n_absent, dict(counts.unreadable)


@given(st.lists(st.lists(st.one_of(st.just(float("nan")), st.integers(-3, 3).map(float))), min_size=1, max_size=5))
def test_counts_add_up_in_any_order(parts: list[list[float]]) -> None:
    whole = NumericCounts.of(np.array([value for part in parts for value in part], dtype=np.float64))
    counts = [NumericCounts.of(np.array(part, dtype=np.float64)) for part in parts]
    assert as_plain(merged(counts)) == as_plain(merged(counts[::-1])) == as_plain(whole)


@given(st.lists(st.lists(labels), min_size=1, max_size=5))
def test_counts_of_labels_add_up_in_any_order(parts: list[list[str | None]]) -> None:
    whole = CategoricalCounts.of(np.array([value for part in parts for value in part], dtype=object))
    counts = [CategoricalCounts.of(np.array(part, dtype=object)) for part in parts]
    assert as_plain(merged(counts)) == as_plain(merged(counts[::-1])) == as_plain(whole)

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.statistics import ColumnType, EffectMeasure, FeatureType
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.compare import past
from plumbline.drift.compare.features import compare
from plumbline.drift.compare.past import past_changes
from plumbline.drift.data.counts import NumericCounts, count
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows, PastChange, window_bounds_of

AGE, SITE = FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("site", FeatureType.CATEGORICAL)
DISTANCE, WASSERSTEIN = EffectMeasure.JENSEN_SHANNON_DISTANCE, EffectMeasure.WASSERSTEIN_DISTANCE


def rows(**columns: NDArray[np.float64] | NDArray[np.object_]) -> HistoryRows:
    specs = tuple(
        FeatureSpec(name, FeatureType.CATEGORICAL if column.dtype == object else FeatureType.NUMERIC)
        for name, column in columns.items()
    )
    n_rows = len(next(iter(columns.values())))
    return HistoryRows(
        table=Table(specs, columns),
        times=["2026-01-01T00:00:00Z"] * n_rows,
        labels=("no",) * n_rows,
        probabilities=np.linspace(0, 1, n_rows),
    )


def baseline(found: HistoryRows, reference: HistoryRows | None = None) -> Baseline:
    table = (reference or found).table
    return Baseline(
        target_label="y",
        positive_label="yes",
        n_rows=table.n_rows,
        specs=table.specs,
        counts={spec.name: count(spec.type, table.columns[spec.name]) for spec in table.specs},
    )


def changes(found: HistoryRows, size: int, reference: HistoryRows | None = None) -> list[dict[str, PastChange]]:
    bounds = window_bounds_of(found.table.n_rows, size)
    return [dict(own) for own, _ in past_changes(baseline(found, reference), found, bounds, seed=0)]


def test_window_is_compared_with_the_rest_as_a_window_with_its_reference() -> None:
    ages = np.random.default_rng(0).normal(40, 10, 900).round()
    first, *_ = changes(rows(age=ages), 300, reference=rows(age=ages[300:]))
    expected = compare("age", NumericCounts.of(ages[300:]), NumericCounts.of(ages[:300]))
    assert first["age"].effects == pytest.approx(expected.effects)
    assert first["age"].out_of_range_fraction == expected.out_of_range_fraction


def test_missing_cells_and_new_extremes_are_changes_of_their_own() -> None:
    ages = np.arange(800.0) % 100
    ages[:20], ages[200:250] = 999.0, np.nan
    first, second, *_ = changes(rows(age=ages), 200)
    assert first["age"].out_of_range_fraction == pytest.approx(0.1)
    assert second["age"].missing_fraction == pytest.approx(0.25)
    assert second["age"].out_of_range_fraction == 0.0


def test_labels_and_predictions_are_compared_too() -> None:
    sites = np.array(["a"] * 200 + ["b"] * 200, dtype=object)
    first, second = changes(rows(site=sites), 200)
    assert first["site"].effects[DISTANCE] == second["site"].effects[DISTANCE] == 1.0
    assert WASSERSTEIN not in first["site"].effects
    assert first[PROBABILITY_COLUMN].effects[DISTANCE] > 0.8


def test_rows_after_the_training_are_as_far_from_it_as_production_will_be() -> None:
    training, after = rows(age=np.arange(400.0) % 50), rows(age=np.arange(400.0) % 50 + 100)
    first, *_ = changes(after, 200, reference=training)
    assert first["age"].effects[DISTANCE] > 0.8
    assert changes(after, 200)[0]["age"].effects[DISTANCE] < 0.05


def test_columns_that_are_no_features_have_no_change() -> None:
    found = rows(age=np.arange(400.0), day=np.arange(400.0))
    known = baseline(found)
    specs = (known.specs[0], FeatureSpec("day", FeatureType.NUMERIC, unjudged=ColumnType.TIME))
    whole = Baseline(target_label="y", positive_label="yes", n_rows=400, specs=specs, counts=known.counts)
    ((own, _), _) = past_changes(whole, found, window_bounds_of(400, 200), seed=0)
    assert set(own) == {"age", PROBABILITY_COLUMN}


def test_column_that_is_empty_in_a_window_or_in_all_others_has_no_effect() -> None:
    ages = np.full(400, np.nan)
    ages[:200] = np.arange(200.0)
    first, second = changes(rows(age=ages), 200, reference=rows(age=ages[200:]))
    assert not first["age"].effects
    assert first["age"].missing_fraction == second["age"].missing_fraction == 1.0


def test_many_distinct_numbers_are_counted_in_groups_that_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    found = rows(age=random.lognormal(0, 2, 6000) + np.repeat([0.0, 0.5], 3000))
    grouped = changes(found, 1000)
    monkeypatch.setattr(past, "MAX_POINTS", 10_000)
    for one, exact in zip(grouped, changes(found, 1000), strict=True):
        assert one["age"].effects == pytest.approx(exact["age"].effects, abs=0.01, rel=0.01)
        assert one["age"].out_of_range_fraction == exact["age"].out_of_range_fraction


def test_whole_rows_are_separated_in_some_windows_spread_over_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MAX_SEPARATED", 2)
    random = np.random.default_rng(2)
    ages, pay = random.normal(size=1000), random.normal(size=1000)
    ages[750:] += 3
    found = rows(age=ages, pay=pay)
    first, *between, last = [
        area for _, area in past_changes(baseline(found), found, window_bounds_of(1000, 250), seed=0)
    ]
    assert between == [None, None]
    assert first is not None
    assert last is not None
    assert first < 0.8
    assert last > 0.95


def test_equal_arguments_give_equal_changes() -> None:
    found = rows(age=np.random.default_rng(3).normal(size=800), pay=np.arange(800.0) % 7)
    one, other = (past_changes(baseline(found), found, window_bounds_of(800, 200), seed=5) for _ in range(2))
    assert one == other

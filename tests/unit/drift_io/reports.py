"""Reports and baselines for the tests of what a run leaves behind."""

from dataclasses import replace

import numpy as np
from drift.baseline import Baseline, learn
from drift.values import table

from contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
    RecentReport,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
    Violation,
    WindowBounds,
)
from contract.training import PROBABILITY_COLUMN
from tests.unit.drift_io.builders import SPECS

DRIFTED = FeatureReport(
    name="hours",
    type=FeatureType.NUMERIC,
    drift_score=120.5,
    test="kolmogorov_smirnov",
    statistic=0.5,
    p_value=0.0,
    p_value_adjusted=0.0,
    wasserstein_distance=1.25,
    jensen_shannon_distance=0.5,
    missing_fraction=0.0,
    missing_fraction_reference=0.0,
    out_of_range_fraction=0.125,
    verdict=Verdict.DRIFT,
    reason="moved",
)
QUIET = FeatureReport(
    name="workclass",
    type=FeatureType.CATEGORICAL,
    drift_score=1.5,
    missing_fraction=0.0,
    missing_fraction_reference=0.0,
    unseen_fraction=0.0,
    verdict=Verdict.NO_DRIFT,
    reason="did not move",
)
ABSENT = FeatureReport(
    name="age",
    type=FeatureType.NUMERIC,
    missing_fraction=1.0,
    missing_fraction_reference=0.0,
    violation=Violation.MISSING_COLUMN,
    reason="no row names it",
)
PREDICTION = replace(QUIET, name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC, drift_score=7.0)

SEGMENTS = tuple(
    SegmentReport(kind="variant", value=value, n_rows=n_rows, verdict=verdict, reason="", features=())
    for value, n_rows, verdict in (
        ("champion", 280, Verdict.DRIFT),
        ("shadow", 8, Verdict.NO_DRIFT),
        ("old", 2, Verdict.NOT_JUDGED),
    )
)

REPORT = DriftReport(
    window=WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"),
    endpoint="plumbline-dev",
    schedule="plumbline-dev",
    records=RecordCounts(300, 290, {"not_json": 4, "outside_window": 6}),
    n_rows=290,
    verdict=Verdict.DRIFT,
    reason="drift in hours",
    features=(QUIET, DRIFTED, ABSENT),
    prediction=PREDICTION,
    projected_accuracy=ProjectedAccuracy(
        status=Status.ESTIMATED, estimate=0.8, lower=0.75, upper=0.85, reference=0.9, drop=0.1, method="x"
    ),
    isolation_forest_similarity=IsolationForestSimilarity(reason="switched off"),
    recent=RecentReport(verdict=Verdict.NO_DRIFT, n_windows=24, n_rows=7000, features=(QUIET,), prediction=PREDICTION),
    segments=SEGMENTS,
    multivariate=MultivariateReport(status=Status.ESTIMATED, area_under_curve=0.75, p_value=0.01),
)

NOT_JUDGED = replace(
    REPORT,
    records=RecordCounts(6, 0, {"outside_window": 6}),
    n_rows=0,
    verdict=Verdict.NOT_JUDGED,
    reason="no records in the window",
    features=(replace(QUIET, drift_score=None, verdict=Verdict.NOT_JUDGED),),
    prediction=replace(PREDICTION, drift_score=None, verdict=Verdict.NOT_JUDGED),
    projected_accuracy=ProjectedAccuracy(reason="no records in the window"),
    recent=RecentReport(reason="no records in the window"),
    segments=(),
    multivariate=MultivariateReport(reason="no records in the window"),
)


def small_baseline() -> Baseline:
    """A baseline of four rows of `SPECS`."""
    rows = [(1.0, "a", -1.0), (2.0, "b", 0.5), (3.0, "a", 2.0), (np.nan, None, 2.0)]
    return learn(train=table(SPECS, rows), target_label="y")

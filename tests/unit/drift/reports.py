"""Reports and baselines for the tests of what a run leaves behind."""

from dataclasses import replace

import numpy as np

from plumbline.contract.accuracy import LabelShiftScenario, Measure, MeasureReport, Shift
from plumbline.contract.attribution import AttributionFeature, AttributionReport
from plumbline.contract.bias import BiasGroup, BiasMeasure, BiasMetric, BiasReport
from plumbline.contract.quality import QualityReport, SelectionReport, ShiftReport, WindowQuality
from plumbline.contract.records import (
    SWITCHED_OFF,
    AcceptedReport,
    AnswerCounts,
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    MultivariateReport,
    OverTimeReport,
    ProjectedAccuracy,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
    Violation,
    WindowBounds,
)
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.table import table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from tests.reports import because
from tests.unit.drift.builders import SPECS

DRIFTED = FeatureReport(
    name="hours",
    type=FeatureType.NUMERIC,
    effects={"drift_score": 120.5, "wasserstein_distance": 1.25, "jensen_shannon_distance": 0.5},
    test="kolmogorov_smirnov",
    statistic=0.5,
    p_value=0.0,
    p_value_adjusted=0.0,
    missing_fraction=0.0,
    missing_fraction_reference=0.0,
    out_of_range_fraction=0.125,
    verdict=Verdict.DRIFT,
    reason=because("moved"),
)
QUIET = FeatureReport(
    name="workclass",
    type=FeatureType.CATEGORICAL,
    effects={"drift_score": 1.5},
    missing_fraction=0.0,
    missing_fraction_reference=0.0,
    unseen_fraction=0.0,
    verdict=Verdict.NO_DRIFT,
    reason=because("did not move"),
)
ABSENT = FeatureReport(
    name="age",
    type=FeatureType.NUMERIC,
    missing_fraction=1.0,
    missing_fraction_reference=0.0,
    violation=Violation.MISSING_COLUMN,
    reason=because("no row names it"),
)
PREDICTION = replace(QUIET, name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC, effects={"drift_score": 7.0})

SEGMENTS = tuple(
    SegmentReport(kind="variant", value=value, n_rows=n_rows, verdict=verdict, reason=None, features=())
    for value, n_rows, verdict in (
        ("champion", 280, Verdict.DRIFT),
        ("shadow", 8, Verdict.NO_DRIFT),
        ("old", 2, Verdict.NOT_JUDGED),
    )
)

JUDGED = WindowQuality(
    window=WindowBounds("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"),
    n_rows=300,
    n_labelled=240,
    labelled_fraction=0.8,
    is_final=True,
    verdict=Verdict.DRIFT,
    reason=because("accuracy 70.0 %, 90.0 % on the labelled test set: 20.0 points lower"),
    measures=(
        MeasureReport(measure=Measure.ACCURACY, status=Status.ESTIMATED, value=0.7, lower=0.65, upper=0.75),
        MeasureReport(measure=Measure.RECALL, reason=because("there is no positive label")),
    ),
    projected=MeasureReport(measure=Measure.ACCURACY, status=Status.ESTIMATED, value=0.8, lower=0.75, upper=0.85),
    projection_error=-0.1,
    shifts=(
        ShiftReport(
            shift=Shift.LABEL, verdict=Verdict.NO_DRIFT, reason=because("moved too little"), p_value=0.5, effect=0.01
        ),
        ShiftReport(
            shift=Shift.CONCEPT, verdict=Verdict.DRIFT, reason=because("other labels"), p_value=1e-9, effect=0.1
        ),
    ),
    selection=SelectionReport(verdict=Verdict.NO_DRIFT, reason=because("no feature drifted")),
    bias=BiasReport(status=Status.ESTIMATED, reason=None, facet="sex", verdict=Verdict.DRIFT),
)

REPORT = DriftReport(
    window=WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"),
    endpoint="plumbline-dev",
    schedule="plumbline-dev",
    records=RecordCounts(300, 290, {"not_json": 4, "outside_window": 6}),
    answers=AnswerCounts(290, 261, {"not_a_probability": 29}),
    n_rows=290,
    verdict=Verdict.DRIFT,
    reason=because("drift in hours"),
    features=(QUIET, DRIFTED, ABSENT),
    prediction=PREDICTION,
    projected_accuracy=ProjectedAccuracy(
        status=Status.ESTIMATED,
        estimate=0.8,
        lower=0.75,
        upper=0.85,
        reference=0.9,
        drop=0.1,
        method="x",
        verdict=Verdict.DRIFT,
        drop_threshold=0.02,
        measures=(MeasureReport(measure=Measure.F1, status=Status.ESTIMATED, value=0.6, lower=0.5, upper=0.7),),
        label_shift=LabelShiftScenario(status=Status.ESTIMATED, selected=True, positive_fraction=0.4),
    ),
    shifts=(ShiftReport(shift=Shift.COVARIATE, verdict=Verdict.DRIFT, reason=because("the rows' mix moved in hours")),),
    bias=BiasReport(
        status=Status.ESTIMATED,
        reason=None,
        facet="sex",
        verdict=Verdict.NO_DRIFT,
        groups=(
            BiasGroup(
                value="Female",
                n_rows=100,
                n_rows_reference=900,
                measures=(BiasMeasure(metric=BiasMetric.DISPARATE_IMPACT, value=0.4),),
            ),
        ),
    ),
    attribution=AttributionReport(
        status=Status.ESTIMATED,
        reason=None,
        ndcg=0.97,
        features=(AttributionFeature(name="age", importance=0.5, importance_reference=0.4, rank=1, rank_reference=2),),
    ),
    quality=QualityReport(
        reason=None,
        lag_hours=2,
        minimum_labelled_fraction=0.5,
        labels=RecordCounts(500, 480, {"no_captured_record": 20}, {"no_captured_record": ("2026/11/22/12/a.jsonl:3",)}),
        windows=(
            JUDGED,
            replace(JUDGED, is_final=False, verdict=Verdict.NOT_JUDGED, n_labelled=3, labelled_fraction=0.01),
        ),
    ),
    isolation_forest_similarity=IsolationForestSimilarity(reason=SWITCHED_OFF),
    accepted=AcceptedReport(
        is_used=True,
        windows=(WindowBounds("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),),
        n_windows=24,
        n_rows=7000,
        accepted_at="2026-11-22T08:00:00Z",
        accepted_by="Ada",
        stated_reason="the new region",
        accepted_features=("workclass",),
        features=(replace(DRIFTED, name="workclass"),),
    ),
    over_time=OverTimeReport(verdict=Verdict.NO_DRIFT, alpha=0.05, n_windows=24, n_rows=7000),
    segments=SEGMENTS,
    multivariate=MultivariateReport(
        status=Status.ESTIMATED,
        verdict=Verdict.DRIFT,
        verdict_reason=because("the area under the curve 0.750 reaches 0.6, with p 0.01 below 0.05"),
        threshold=0.6,
        area_under_curve=0.75,
        p_value=0.01,
    ),
)

NOT_JUDGED = replace(
    REPORT,
    records=RecordCounts(6, 0, {"outside_window": 6}),
    n_rows=0,
    verdict=Verdict.NOT_JUDGED,
    reason=because("no records in the window"),
    features=(replace(QUIET, effects={}, verdict=Verdict.NOT_JUDGED),),
    prediction=replace(PREDICTION, effects={}, verdict=Verdict.NOT_JUDGED),
    projected_accuracy=ProjectedAccuracy(reason=because("no records in the window")),
    shifts=(),
    bias=BiasReport(reason=because("no records in the window")),
    attribution=AttributionReport(reason=because("no records in the window")),
    quality=QualityReport(),
    over_time=OverTimeReport(reason=because("no records in the window")),
    segments=(),
    multivariate=MultivariateReport(reason=because("no records in the window")),
)


def small_baseline() -> Baseline:
    """A baseline of four rows of `SPECS`."""
    rows = [(1.0, "a", -1.0), (2.0, "b", 0.5), (3.0, "a", 2.0), (np.nan, None, 2.0)]
    return learn(train=table(SPECS, rows), target_label="y")

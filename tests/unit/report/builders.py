"""Drift reports made by hand, so that what the page must say is known beforehand."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plumbline.contract.accuracy import LabelShiftScenario, Measure, MeasureReport, Shift
from plumbline.contract.attribution import AttributionFeature, AttributionReport
from plumbline.contract.bias import BiasGroup, BiasMeasure, BiasMetric, BiasReport
from plumbline.contract.quality import QualityReport, SelectionReport, ShiftReport, WindowQuality
from plumbline.contract.reasons import Reason
from plumbline.contract.records import (
    SWITCHED_OFF,
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    ProjectedAccuracy,
    RecordCounts,
    Status,
    Verdict,
    WindowBounds,
)
from tests.reports import because, drift_report

START = datetime(2026, 3, 1, tzinfo=UTC)
ESTIMATED = ProjectedAccuracy(
    status=Status.ESTIMATED,
    estimate=0.823,
    lower=0.807,
    upper=0.839,
    reference=0.867,
    drop=0.044,
    method="calibrated_confidence_isotonic",
)
REFUSED = ProjectedAccuracy(reason=because("no predictions were captured"))
SIMILAR = IsolationForestSimilarity(status=Status.ESTIMATED, relative_difference_percent=-3.5)
NOT_SELECTIVE = SelectionReport(verdict=Verdict.NO_DRIFT, reason=because("every row has a label"))
NOT_AWAITED = QualityReport()
NO_FACET = BiasReport()
NOT_SIMILAR = IsolationForestSimilarity(reason=SWITCHED_OFF)


def start_of(hour: int) -> str:
    """Return the start of one window as the container writes it."""
    return (START + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def feature(name: str, score: float | None = 4.0, *, drift: bool = False, p: float | None = 0.4) -> FeatureReport:
    """Return one numeric feature's result."""
    return FeatureReport(
        name=name,
        type=FeatureType.NUMERIC,
        effects={"wasserstein_distance": 0.01, "jensen_shannon_distance": 0.02}
        | ({} if score is None else {"drift_score": score}),
        test="kolmogorov_smirnov",
        statistic=0.02,
        p_value=p,
        p_value_adjusted=p,
        missing_fraction=0.0,
        missing_fraction_reference=0.0,
        out_of_range_fraction=0.0,
        verdict=Verdict.DRIFT if drift else Verdict.NO_DRIFT,
        reason=because("moved") if drift else None,
    )


def report(
    hour: int | None = 0,
    *,
    features: tuple[FeatureReport, ...] = (feature("age"), feature("hours-per-week")),
    verdict: Verdict | None = None,
    reason: Reason | None = None,
    projected: ProjectedAccuracy = ESTIMATED,
    similarity: IsolationForestSimilarity = NOT_SIMILAR,
    rejected: Mapping[str, int] | None = None,
    endpoint: str | None = "plumbline-dev",
    quality: QualityReport = NOT_AWAITED,
) -> DriftReport:
    """Return one window's report; its verdict follows from its features unless given."""
    bad = rejected or {}
    drifted = any(one.verdict is Verdict.DRIFT for one in features)
    return drift_report(
        window=WindowBounds() if hour is None else WindowBounds(start_of(hour), start_of(hour + 1)),
        endpoint=endpoint,
        schedule="plumbline-dev-drift",
        records=RecordCounts(read=500 + sum(bad.values()), used=500, rejected=bad),
        n_rows=2000,
        verdict=verdict or (Verdict.DRIFT if drifted else Verdict.NO_DRIFT),
        reason=reason,
        features=features,
        prediction=feature("probability"),
        projected_accuracy=projected,
        isolation_forest_similarity=similarity,
        quality=quality,
    )


def write(results: Path, *reports: DriftReport) -> Path:
    """Write the reports as the schedule lays them out, and return the folder."""
    for number, one in enumerate(reports):
        folder = results / "plumbline-dev" / "plumbline-dev-drift" / f"{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        # Written as ASCII, so that even what UTF-8 cannot hold may stand in a name.
        (folder / "drift_report.json").write_text(json.dumps(json.loads(one.to_json())), encoding="utf-8")
    return results


def measured(measure: Measure, value: float, *, half: float = 0.02, reference: float = 0.867) -> MeasureReport:
    """Return one figure with an interval of `half` either side."""
    return MeasureReport(
        measure=measure,
        status=Status.ESTIMATED,
        value=value,
        lower=value - half,
        upper=value + half,
        reference=reference,
    )


def labelled(
    hour: int,
    accuracy: float | None = 0.86,
    *,
    projected: float | None = 0.862,
    is_final: bool = True,
    concept: bool = False,
    selection: SelectionReport = NOT_SELECTIVE,
    bias: BiasReport = NO_FACET,
) -> WindowQuality:
    """Return one window with labels of nine rows in ten; an `accuracy` of None: no label has come."""
    bounds = WindowBounds(start_of(hour), start_of(hour + 1))
    if accuracy is None:
        return WindowQuality(
            window=bounds,
            n_rows=2000,
            n_labelled=0,
            labelled_fraction=0.0,
            is_final=is_final,
            reason=because("no labels yet"),
        )
    dropped = accuracy < 0.847
    return WindowQuality(
        window=bounds,
        n_rows=2000,
        n_labelled=1800,
        labelled_fraction=0.9,
        is_final=is_final,
        verdict=Verdict.DRIFT if dropped else Verdict.NO_DRIFT,
        reason=because(f"accuracy {100 * accuracy:.1f} %, 86.7 % on the labelled test set"),
        measures=(
            measured(Measure.ACCURACY, accuracy, half=0.016),
            measured(Measure.AREA_UNDER_CURVE, 0.88, reference=0.924),
            measured(Measure.LOG_LOSS, 0.41, reference=0.302),
        ),
        projected=MeasureReport(measure=Measure.ACCURACY, reason=because("refused"))
        if projected is None
        else measured(Measure.ACCURACY, projected, half=0.018),
        projection_error=None if projected is None else accuracy - projected,
        shifts=(
            ShiftReport(
                shift=Shift.LABEL, verdict=Verdict.NO_DRIFT, reason=because("no more than chance"), p_value=0.42
            ),
            ShiftReport(
                shift=Shift.CONCEPT,
                verdict=Verdict.DRIFT if concept else Verdict.NO_DRIFT,
                reason=because("the labels are not those that such rows had") if concept else because("within chance"),
                p_value=1e-12 if concept else 0.31,
                effect=0.081 if concept else 0.004,
            ),
        ),
        selection=selection,
        bias=bias,
    )


def quality(*windows: WindowQuality, labels: RecordCounts | None = None) -> QualityReport:
    """Return what one run says of the labels that came."""
    return QualityReport(
        reason=None,
        lag_hours=24,
        minimum_labelled_fraction=0.5,
        drop_threshold=0.02,
        labels=labels or RecordCounts(),
        windows=windows,
    )


BY_GROUP = BiasReport(
    status=Status.ESTIMATED,
    reason=None,
    facet="sex",
    threshold=0.05,
    verdict=Verdict.DRIFT,
    groups=(
        BiasGroup(
            value="Male",
            n_rows=1300,
            n_rows_reference=3200,
            selection_rate=0.26,
            selection_rate_reference=0.25,
            verdict=Verdict.NO_DRIFT,
        ),
        BiasGroup(
            value="Female",
            n_rows=700,
            n_rows_reference=1600,
            selection_rate=0.02,
            selection_rate_reference=0.09,
            verdict=Verdict.DRIFT,
            reason=because("difference in positive proportions moved"),
            measures=(
                BiasMeasure(
                    metric=BiasMetric.DISPARATE_IMPACT,
                    reason=because("fewer than 50 positive predictions"),
                ),
                BiasMeasure(
                    metric=BiasMetric.DIFFERENCE_IN_POSITIVE_PROPORTIONS,
                    verdict=Verdict.DRIFT,
                    reason=because("moved by 0.080"),
                    value=0.24,
                    lower=0.21,
                    upper=0.27,
                    reference=0.16,
                    reference_lower=0.14,
                    reference_upper=0.18,
                ),
            ),
        ),
    ),
)

RESTS_ON = AttributionReport(
    status=Status.ESTIMATED,
    reason=None,
    verdict=Verdict.DRIFT,
    ndcg=0.871,
    threshold=0.9,
    n_rows=2000,
    n_rows_reference=4884,
    features=(
        AttributionFeature(name="hours-per-week", importance=0.91, importance_reference=0.32, rank=1, rank_reference=4),
        AttributionFeature(name="age", importance=0.66, importance_reference=0.71, rank=2, rank_reference=1),
    ),
)


def day() -> tuple[DriftReport, ...]:
    """Return twenty hours as a day may go: drift, a suspected label shift, refusals, concept shift as labels see it.

    Labels come three hours late; the last three hours have none.
    """
    estimates: list[float | None] = [0.866, 0.868, 0.865, 0.867, 0.866, 0.858, 0.851, 0.842, 0.836, 0.831]
    estimates += [None, None, 0.83, 0.86, 0.866, 0.865, 0.868, None, 0.867, 0.866]
    realised: list[float | None] = [
        0.871,
        0.862,
        0.869,
        0.865,
        0.860,
        0.852,
        0.857,
        0.838,
        0.829,
        0.835,
        0.741,
        0.752,
        0.836,
        0.861,
    ]
    realised += [0.858, 0.805, 0.798, 0.802, None, None]
    reports = []
    for hour in range(20):
        windows = tuple(
            labelled(
                back,
                realised[back] if back <= hour - 3 else None,
                projected=estimates[back],
                is_final=back <= hour - 5,
                concept=back in range(15, 18),
                bias=BY_GROUP,
            )
            for back in range(max(0, hour - 6), hour + 1)
        )
        reports.append(_of_day(hour, estimates[hour], quality(*windows, labels=_LABELS)))
    return tuple(reports)


_LABELS = RecordCounts(
    read=9120, used=8990, rejected={"orphan": 118, "superseded": 12}, examples={"orphan": ("2026/03/01/17/a.jsonl:4",)}
)


def _of_day(hour: int, estimate: float | None, labels: QualityReport) -> DriftReport:
    shifted = hour in range(6, 13)
    features = (feature("age"), feature("hours-per-week", 92.0 if shifted else 4.0, drift=shifted, p=0.0))
    projected = ProjectedAccuracy(
        reason=because(
            f"a classifier separates the window's rows from the test set's with an area under the curve of 0.9{hour}, "
            "0.95 or more: nothing is known of the model there"
        )
    )
    if estimate is not None:
        projected = replace(
            ESTIMATED,
            estimate=estimate,
            lower=estimate - 0.016,
            upper=estimate + 0.016,
            drop=0.867 - estimate,
            drop_threshold=0.02,
            verdict=Verdict.DRIFT if estimate < 0.845 else Verdict.NO_DRIFT,
            warnings=(because("a classifier separates the rows with 0.87"),) if hour == 12 else (),
            measures=(measured(Measure.AREA_UNDER_CURVE, 0.91, reference=0.924),),
        )
    if hour == 13:
        scenario = LabelShiftScenario(
            status=Status.ESTIMATED, selected=True, positive_fraction=0.44, estimate=0.8, lower=0.78, upper=0.82
        )
        projected = replace(projected, label_shift=scenario)
    shifts = (
        ShiftReport(shift=Shift.COVARIATE, verdict=Verdict.NO_DRIFT, reason=because("no feature drifted")),
        ShiftReport(
            shift=Shift.LABEL, reason=because("without labels: a changed mix of labels does not explain the window")
        ),
        ShiftReport(shift=Shift.CONCEPT, verdict=Verdict.DRIFT, reason=because(f"window {start_of(16)}: other labels")),
    )
    return replace(
        report(hour, features=features, projected=projected, quality=labels),
        shifts=shifts,
        bias=BY_GROUP,
        attribution=RESTS_ON,
    )

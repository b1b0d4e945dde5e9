"""Drift reports as the demo gets them from the monitor."""

from plumbline.contract.accuracy import LabelShiftScenario, Measure, MeasureReport, Shift
from plumbline.contract.quality import QualityReport, ShiftReport, WindowQuality
from plumbline.contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    ProjectedAccuracy,
    RecordCounts,
    Status,
    Verdict,
    WindowBounds,
)
from tests.reports import drift_report

ESTIMATED = ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.85, lower=0.82, upper=0.88)


def projected(estimate: float, *, label_shift: float | None = None) -> ProjectedAccuracy:
    """Return a projection, and the estimate for pure label shift where the window looks like it."""
    scenario = LabelShiftScenario(status=Status.ESTIMATED, selected=True, estimate=label_shift)
    return ProjectedAccuracy(
        status=Status.ESTIMATED,
        estimate=estimate,
        lower=estimate - 0.02,
        upper=estimate + 0.02,
        verdict=Verdict.NO_DRIFT,
        label_shift=scenario if label_shift is not None else LabelShiftScenario(),
    )


def labelled(window: str, value: float, *shifts: Shift, foreseen: float = 0.85) -> WindowQuality:
    """Return what labels say of a window: its accuracy, what was projected, and which shifts they show."""
    return WindowQuality(
        window=WindowBounds(window, None),
        n_rows=200,
        n_labelled=180,
        labelled_fraction=0.9,
        is_final=False,
        verdict=Verdict.NO_DRIFT,
        measures=(
            MeasureReport(
                measure=Measure.ACCURACY, status=Status.ESTIMATED, value=value, lower=value - 0.01, upper=value + 0.01
            ),
        ),
        projected=MeasureReport(
            measure=Measure.ACCURACY,
            status=Status.ESTIMATED,
            value=foreseen,
            lower=foreseen - 0.02,
            upper=foreseen + 0.02,
        ),
        projection_error=value - foreseen,
        shifts=tuple(
            ShiftReport(shift=kind, verdict=Verdict.DRIFT if kind in shifts else Verdict.NO_DRIFT)
            for kind in (Shift.LABEL, Shift.CONCEPT)
        ),
    )


def report(
    verdict: Verdict,
    *drifted: str,
    projected: ProjectedAccuracy = ESTIMATED,
    shifts: tuple[Shift, ...] = (),
    windows: tuple[WindowQuality, ...] = (),
) -> DriftReport:
    """Return a window's report: the features that drifted, the shifts seen without labels, what labels say."""
    return drift_report(
        records=RecordCounts(read=20, used=20),
        n_rows=200,
        verdict=verdict,
        features=tuple(FeatureReport(name=name, type=FeatureType.NUMERIC, verdict=Verdict.DRIFT) for name in drifted),
        projected_accuracy=projected,
        shifts=tuple(ShiftReport(shift=kind, verdict=Verdict.DRIFT) for kind in shifts),
        quality=QualityReport(reason=None, lag_hours=6, windows=windows),
    )

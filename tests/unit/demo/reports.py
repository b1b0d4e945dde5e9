"""Drift reports as the demo gets them from the monitor."""

from contract.records import (
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

ESTIMATED = ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.85, lower=0.82, upper=0.88)


def report(verdict: Verdict, *drifted: str, projected: ProjectedAccuracy = ESTIMATED) -> DriftReport:
    """Return a window's report with nothing but the features that drifted."""
    return DriftReport(
        window=WindowBounds(),
        endpoint=None,
        schedule=None,
        records=RecordCounts(read=20, used=20),
        n_rows=200,
        verdict=verdict,
        reason="",
        features=tuple(FeatureReport(name=name, type=FeatureType.NUMERIC, verdict=Verdict.DRIFT) for name in drifted),
        prediction=FeatureReport(name="probability", type=FeatureType.NUMERIC),
        projected_accuracy=projected,
        isolation_forest_similarity=IsolationForestSimilarity(),
    )

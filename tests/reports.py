"""Drift reports made by hand: the one builder that every test area starts from."""

from typing import Any

from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    ProjectedAccuracy,
    RecordCounts,
    Verdict,
    WindowBounds,
)


def because(text: str, code: ReasonCode = ReasonCode.OTHER) -> Reason:
    """Return a reason with a text of the test's own."""
    return Reason(code, text)


def drift_report(**changes: Any) -> DriftReport:
    """Return a window without drift and without features; keywords replace fields of `DriftReport`."""
    return DriftReport(
        **{
            "window": WindowBounds(),
            "endpoint": None,
            "schedule": None,
            "records": RecordCounts(),
            "n_rows": 0,
            "verdict": Verdict.NO_DRIFT,
            "reason": None,
            "features": (),
            "prediction": FeatureReport(name="probability", type=FeatureType.NUMERIC),
            "projected_accuracy": ProjectedAccuracy(),
            "isolation_forest_similarity": IsolationForestSimilarity(),
        }
        | changes
    )

"""Drift reports made by hand, so that what the page must say is known beforehand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
REFUSED = ProjectedAccuracy(reason="no predictions were captured")
SIMILAR = IsolationForestSimilarity(status=Status.ESTIMATED, relative_difference_percent=-3.5)
NOT_SIMILAR = IsolationForestSimilarity(reason="switched off")


def start_of(hour: int) -> str:
    """Return the start of one window as the container writes it."""
    return (START + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def feature(name: str, score: float | None = 4.0, *, drift: bool = False, p: float | None = 0.4) -> FeatureReport:
    """Return one numeric feature's result."""
    return FeatureReport(
        name=name,
        type=FeatureType.NUMERIC,
        drift_score=score,
        test="kolmogorov_smirnov",
        statistic=0.02,
        p_value=p,
        p_value_adjusted=p,
        wasserstein_distance=0.01,
        jensen_shannon_distance=0.02,
        missing_fraction=0.0,
        missing_fraction_reference=0.0,
        out_of_range_fraction=0.0,
        verdict=Verdict.DRIFT if drift else Verdict.NO_DRIFT,
        reason="moved" if drift else "",
    )


def report(
    hour: int | None = 0,
    *,
    features: tuple[FeatureReport, ...] = (feature("age"), feature("hours-per-week")),
    verdict: Verdict | None = None,
    reason: str = "",
    projected: ProjectedAccuracy = ESTIMATED,
    similarity: IsolationForestSimilarity = NOT_SIMILAR,
    rejected: Mapping[str, int] | None = None,
    endpoint: str | None = "plumbline-dev",
) -> DriftReport:
    """Return one window's report; its verdict follows from its features unless given."""
    bad = rejected or {}
    drifted = any(one.verdict is Verdict.DRIFT for one in features)
    return DriftReport(
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
    )


def write(results: Path, *reports: DriftReport) -> Path:
    """Write the reports as the schedule lays them out, and return the folder."""
    for number, one in enumerate(reports):
        folder = results / "plumbline-dev" / "plumbline-dev-drift" / f"{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        # Written as ASCII, so that even what UTF-8 cannot hold may stand in a name.
        (folder / "drift_report.json").write_text(json.dumps(json.loads(one.to_json())), encoding="utf-8")
    return results

"""statistics.json, constraints.json and constraint_violations.json in SageMaker's own schemas, version 0.

Sources: SageMaker Developer Guide, "Schema for Statistics", "Schema for Constraints", "Schema for Violations".
A figure that cannot be computed is left out, since those schemas have no value for it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.names import ReportFile, Switch
from plumbline.contract.records import DriftReport, FeatureReport, FeatureType, Verdict, finite
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.data.documents import write_text
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.recent import window_counts_text
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.policy import Policy

Json = dict[str, Any]

_N_BUCKETS = 10
"""SageMaker materialises a distribution in ten buckets."""
_MAX_CATEGORIES = 1000
"""Categories listed in statistics.json, the most frequent first; distinct_count counts them all."""
_MAX_DOMAINS = 100
"""constraints.json lists the observed values "for small cardinality"."""
_DOMAIN_THRESHOLD = 0.1
"""Fraction of unseen categories from which on they are a violation of their own: the value of AWS's example."""


def statistics(window: Mapping[str, ValueCounts], n_rows: int) -> Json:
    """Describe the window's columns.

    Numeric columns get equal-width buckets, counted exactly. The KLL sketch is left out: we keep counts
    and make no sketch, and AWS lets a container write its own representation.
    """
    features = [
        _numeric(name, column) if isinstance(column, NumericCounts) else _categorical(name, column)
        for name, column in window.items()
    ]
    return {"version": 0, "dataset": {"item_count": n_rows}, "features": features}


def constraints(reference: Mapping[str, ValueCounts], policy: Policy) -> Json:
    """Describe the columns of the reference, and the thresholds in force.

    SageMaker has two comparison methods; ours allows for the sample's size, as its ``Robust`` does. Its schema has no
    field for the effect measure, which is in the drift report.
    """
    return {
        "version": 0,
        "features": [
            _constraint(name, column) | _overrides(name, column, policy) for name, column in reference.items()
        ],
        "monitoring_config": {
            "evaluate_constraints": Switch.ENABLED,
            "emit_metrics": Switch.ENABLED,
            "datatype_check_threshold": 0.0,
            "domain_content_threshold": _DOMAIN_THRESHOLD,
            "distribution_constraints": _comparison(policy.effect_threshold),
        },
    }


def _comparison(threshold: float) -> Json:
    return {
        "perform_comparison": Switch.ENABLED,
        "comparison_threshold": threshold,
        "comparison_method": "Robust",
    }


def _overrides(name: str, column: ValueCounts, policy: Policy) -> Json:
    """Return what one feature has in place of the thresholds for all, if anything."""
    rule = policy.rule(name, FeatureType.NUMERIC if isinstance(column, NumericCounts) else FeatureType.CATEGORICAL)
    if rule.ignore:
        return {"monitoringConfigOverrides": {"evaluate_constraints": Switch.DISABLED}}
    if rule.effect_threshold != policy.effect_threshold:
        return {"monitoringConfigOverrides": {"distribution_constraints": _comparison(rule.effect_threshold)}}
    return {}


def violations(report: DriftReport, policy: Policy) -> Json:
    """List what is behind a verdict of drift, and whatever the verdict the features whose payload is broken.

    Rows with too many or too few fields are never used but counted under ``records.rejected``, so
    ``extra_column_check`` does not apply here.
    """
    drifted = report.verdict is Verdict.DRIFT
    return {
        "violations": [
            {"feature_name": feature.name, "constraint_check_type": check, "description": description}
            for feature in (*report.features, report.prediction)
            for check, description in _checks(feature, policy, drifted)
        ]
    }


def _checks(feature: FeatureReport, policy: Policy, drifted: bool) -> Iterable[tuple[str, str]]:
    if feature.violation is not None:
        yield feature.violation.value, str(feature.reason or "")
    if feature.verdict is not Verdict.DRIFT or not drifted:
        return
    yield "baseline_drift_check", str(feature.reason or "")
    missing, expected = feature.missing_fraction, feature.missing_fraction_reference
    if missing is not None and expected is not None and _lost(feature, missing - expected, policy):
        check = "missing_column_check" if missing == 1 else "completeness_check"
        yield check, f"missing fraction {missing:.3g} in the window, {expected:.3g} in the reference"
    if feature.unseen_fraction is not None and feature.unseen_fraction > _DOMAIN_THRESHOLD:
        yield (
            "categorical_values_check",
            f"fraction {feature.unseen_fraction:.3g} of the values is unknown to the reference, "
            f"more than {_DOMAIN_THRESHOLD}",
        )


def _lost(feature: FeatureReport, increase: float, policy: Policy) -> bool:
    """Return whether values went missing: so many that it matters, and more than chance explains."""
    p_value, alpha = feature.missing_p_value_adjusted, policy.rule(feature.name, feature.type).alpha
    return p_value is not None and p_value < alpha and increase >= policy.missing_values_threshold


def _common(column: ValueCounts) -> Json:
    return {"num_present": column.n_present, "num_missing": column.n_missing}


def _numeric(name: str, column: NumericCounts) -> Json:
    figures: Json = {"common": _common(column)}
    if column.n_present:
        figures |= {key: value for key, value in _moments(column).items() if finite(value) is not None}
        buckets = _buckets(column)
        if buckets:
            figures["distribution"] = {"kll": {"buckets": buckets}}
    return {"name": name, "inferred_type": _inferred_type(column), "numerical_statistics": figures}


def _moments(column: NumericCounts) -> dict[str, float]:
    """Return SageMaker's figures; `std_dev` is that of a population, as Deequ computes it."""
    values, counts = column.values, column.counts
    with np.errstate(over="ignore", invalid="ignore"):
        total = float((values * counts).sum())
        mean = total / column.n_present
        std_dev = float(np.sqrt(((values - mean) ** 2 * counts).sum() / column.n_present))
    return {"mean": mean, "sum": total, "std_dev": std_dev, "min": float(values[0]), "max": float(values[-1])}


def _buckets(column: NumericCounts) -> list[Json]:
    low, high = float(column.values[0]), float(column.values[-1])
    if low == high:
        return [{"lower_bound": low, "upper_bound": high, "count": column.n_present}]
    if finite(high - low) is None:
        return []
    edges = np.linspace(low, high, _N_BUCKETS + 1)
    return [
        {"lower_bound": float(lower), "upper_bound": float(upper), "count": count}
        for lower, upper, count in zip(edges[:-1], edges[1:], _counted(column, edges), strict=True)
    ]


def _counted(column: NumericCounts, edges: NDArray[np.float64]) -> list[int]:
    """Return how many values each bucket [lower, upper) holds; the last one is closed."""
    positions = np.searchsorted(edges[1:-1], column.values, side="right")
    return [int(number) for number in np.bincount(positions, weights=column.counts, minlength=_N_BUCKETS)]


def _categorical(name: str, column: ValueCounts) -> Json:
    pairs = sorted(
        zip(column.values.tolist(), column.counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])
    )
    buckets = [{"value": value, "count": count} for value, count in pairs[:_MAX_CATEGORIES]]
    figures = {
        "common": _common(column),
        "distinct_count": len(pairs),
        "distribution": {"categorical": {"buckets": buckets}},
    }
    return {"name": name, "inferred_type": "String", "string_statistics": figures}


def _constraint(name: str, column: ValueCounts) -> Json:
    entry: Json = {
        "name": name,
        "inferred_type": _inferred_type(column) if column.n_present else "Unknown",
        "completeness": column.n_present / column.n_rows if column.n_rows else 1.0,
    }
    if isinstance(column, NumericCounts) and column.n_present:
        entry["num_constraints"] = {"is_non_negative": bool(column.values[0] >= 0)}
    elif 0 < len(column.values) <= _MAX_DOMAINS:
        entry["string_constraints"] = {"domains": column.values.tolist()}
    return entry


def _inferred_type(column: ValueCounts) -> str:
    if not isinstance(column, NumericCounts):
        return "String"
    return "Integral" if np.equal(np.mod(column.values, 1), 0).all() else "Fractional"


def write_reports(folder: Path, report: DriftReport, baseline: Baseline, window: WindowCounts, policy: Policy) -> None:
    """Write the report files. Equal arguments give equal bytes.

    Raises
    ------
    PublishError
        If the folder cannot be written.
    """
    texts = {
        ReportFile.STATISTICS: _json(statistics(window.columns, window.n_rows)),
        ReportFile.CONSTRAINTS: _json(constraints(baseline.counts, policy)),
        ReportFile.VIOLATIONS: _json(violations(report, policy)),
        ReportFile.WINDOW_COUNTS: window_counts_text(baseline, window),
        # Last: a reader that waits for the report then finds the other files.
        ReportFile.DRIFT_REPORT: report.to_json(),
    }
    for name, text in texts.items():
        write_text(folder / name, text)


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"

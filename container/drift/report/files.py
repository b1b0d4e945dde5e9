"""statistics.json, constraints.json and constraint_violations.json as AWS's own tools read them, version 0.

The three name the same columns in the same order: the prediction under the target's name, then the features. AWS's
table of violations looks each column up in all of them. Sources: SageMaker Developer Guide, "Schema for Statistics",
"Schema for Constraints", "Schema for Violations"; aws/amazon-sagemaker-examples, visualization/utils.py. A figure that
cannot be computed is left out, since those schemas have no value for it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.names import ReportFile, Switch
from plumbline.contract.records import DriftReport, FeatureReport, FeatureType, VariantRole, Verdict, Violation, finite
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import OTHER_LABELS, NumericCounts, ValueCounts
from plumbline.drift.data.documents import write_together
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.window_counts import window_counts_text
from plumbline.drift.judge.window_state import WindowState, window_state_text
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.policy import Policy

Json = dict[str, Any]

_N_BUCKETS = 10
"""SageMaker materialises a distribution in ten buckets."""
_MAX_CATEGORIES = 1000
"""Categories listed in statistics.json, the most frequent first; distinct_count counts them all."""
_MAX_DOMAINS = 100
"""constraints.json lists the observed values "for small cardinality"."""
_DOMAIN_COMPLIANCE = 0.9
"""Fraction of values that must be known to the reference: with fewer, the others are a violation of their own."""


def statistics(window: Mapping[str, ValueCounts], n_rows: int) -> Json:
    """Describe the window's columns.

    Numeric columns get equal-width buckets, counted exactly. The KLL sketch is left out: we keep counts
    and make no sketch, and AWS lets a container write its own representation.
    """
    features = [
        _numeric(name, column) if isinstance(column, NumericCounts) else _categorical(name, column)
        for name, column in window.items()
    ]
    # AWS's readers divide by the number of rows: of a window without rows no column is described.
    return {"version": 0, "dataset": {"item_count": n_rows}, "features": features if n_rows else []}


def constraints(reference: Mapping[str, ValueCounts], policy: Policy) -> Json:
    """Describe the columns of the reference, and the thresholds in force.

    SageMaker has two comparison methods; ours allows for the sample's size, as its ``Robust`` does. Of its two methods
    for categories, the one that compares a distance with the threshold is ``LInfinity``. Its schema has no field for
    the effect measure, which is in the drift report.
    """
    return {
        "version": 0,
        "features": [
            _constraint(name, column) | _overrides(name, column, policy) for name, column in reference.items()
        ],
        "monitoring_config": {
            "evaluate_constraints": Switch.ENABLED,
            "emit_metrics": Switch.ENABLED,
            "datatype_check_threshold": _type_compliance(policy),
            "domain_content_threshold": _DOMAIN_COMPLIANCE,
            "distribution_constraints": _comparison(policy.effect_threshold),
        },
    }


def _type_compliance(policy: Policy) -> float:
    """Return which fraction of a column's values must be of the reference's type."""
    return round(1 - policy.unreadable_values_threshold, 6)


def _comparison(threshold: float) -> Json:
    return {
        "perform_comparison": Switch.ENABLED,
        "comparison_threshold": threshold,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": threshold,
        "categorical_drift_method": "LInfinity",
    }


def _overrides(name: str, column: ValueCounts, policy: Policy) -> Json:
    """Return what one feature has in place of the thresholds for all, if anything."""
    rule = policy.rule(name, FeatureType.NUMERIC if isinstance(column, NumericCounts) else FeatureType.CATEGORICAL)
    if rule.unjudged:
        return {"monitoringConfigOverrides": {"evaluate_constraints": Switch.DISABLED}}
    if rule.effect_threshold != policy.effect_threshold:
        return {"monitoringConfigOverrides": {"distribution_constraints": _comparison(rule.effect_threshold)}}
    return {}


def violations(report: DriftReport, baseline: Baseline, policy: Policy) -> Json:
    """List what is behind a verdict of drift, and whatever the verdict the features whose payload is broken.

    Each description begins with a line in the form of AWS's, which public readers parse, where AWS has one; ours
    follows. Rows with too many or too few fields are never used but counted under ``records.rejected``, so
    ``extra_column_check`` does not apply here.
    """
    drifted = report.verdict is Verdict.DRIFT
    found = [*_violations(report.prediction, report.features, baseline, policy, drifted)]
    for one in report.variants:
        if one.role is VariantRole.PRODUCTION and one.variant != report.variant:
            of_variant = one.verdict is Verdict.DRIFT
            for violation in _violations(one.prediction, one.features, baseline, policy, of_variant):
                words = f"{violation['description']}\nvariant {one.variant}"
                found.append(violation | {"description": words})
    return {"violations": found}


def _violations(
    prediction: FeatureReport, features: Sequence[FeatureReport], baseline: Baseline, policy: Policy, drifted: bool
) -> Iterator[dict[str, str]]:
    for feature in (replace(prediction, name=prediction_name(baseline)), *features):
        for check, description in _checks(feature, baseline, policy, drifted):
            yield {"feature_name": feature.name, "constraint_check_type": check, "description": description}


def prediction_name(baseline: Baseline) -> str:
    """Return the prediction's name in AWS's files: the target's, as AWS's own baselines have it."""
    return baseline.target_label or PROBABILITY_COLUMN


def _checks(feature: FeatureReport, baseline: Baseline, policy: Policy, drifted: bool) -> Iterable[tuple[str, str]]:
    if feature.violation is not None:
        yield feature.violation.value, _broken(feature, baseline, policy)
    if feature.verdict is not Verdict.DRIFT or not drifted:
        return
    missing, expected = feature.missing_fraction, feature.missing_fraction_reference
    increase = 0.0 if missing is None or expected is None else missing - expected
    distance = _distance(feature, increase, policy)
    if distance is not None:
        moved, threshold = distance
        yield (
            "baseline_drift_check",
            _described(f"Baseline drift distance: {moved:.6g} exceeds threshold: {threshold:.6g}", feature.reason),
        )
    elif feature.violation is None:
        yield "baseline_drift_check", str(feature.reason or "")
    if missing is not None and _lost(feature, increase, policy):
        check = "missing_column_check" if missing == 1 else "completeness_check"
        words = f"missing fraction {missing:.3g} in the window, {expected:.3g} in the reference"
        yield check, _described(_not_met(1 - missing), words)
    if feature.unseen_fraction is not None and 1 - feature.unseen_fraction < _DOMAIN_COMPLIANCE:
        words = f"fraction {feature.unseen_fraction:.3g} of the values is unknown to the reference"
        yield "categorical_values_check", _described(_not_met(1 - feature.unseen_fraction), words)


def _described(line: str, words: object) -> str:
    # Readers take what follows AWS's words up to the line's end for a number.
    return f"{line}\n{words}" if words else line


def _not_met(fraction: float) -> str:
    return f"Value: {fraction:.6g} does not meet the constraint requirement!"


def _broken(feature: FeatureReport, baseline: Baseline, policy: Policy) -> str:
    """Return AWS's words of a column of another type, and ours of any broken one."""
    column = baseline.counts.get(feature.name)
    if feature.violation is not Violation.DATA_TYPE or column is None:
        return str(feature.reason or "")
    expected = _inferred_type(column)
    values, unreadable = 1 - (feature.missing_fraction or 0.0), feature.unreadable_fraction or 0.0
    complying = 1 - unreadable / values if unreadable and values else 0.0
    return _described(
        f"Data type match requirement is not met. Expected data type: {expected}, Expected match: "
        f"{100 * _type_compliance(policy):.1f}%. Observed: Only {100 * complying:.6g}% of data is {expected}.",
        feature.reason,
    )


def _distance(feature: FeatureReport, increase: float, policy: Policy) -> tuple[float, float] | None:
    """Return how far a drifted feature moved and its threshold: its values, or its missing fraction where they did not.

    None where its reason alone says what moved.
    """
    effect, threshold = feature.effect(feature.effect_measure), feature.effect_threshold
    if effect is not None and threshold is not None and effect >= threshold:
        return effect, threshold
    if abs(increase) >= policy.missing_values_threshold:
        return abs(increase), policy.missing_values_threshold
    return None


def _lost(feature: FeatureReport, increase: float, policy: Policy) -> bool:
    """Return whether values went missing: so many that it matters, and more than chance explains."""
    p_value, alpha = feature.missing_p_value_adjusted, policy.rule(feature.name, feature.type).alpha
    return p_value is not None and p_value < alpha and increase >= policy.missing_values_threshold


def _common(column: ValueCounts) -> Json:
    # A cell that cannot be read holds something: AWS counts it as present, in a column of another type.
    return {"num_present": column.n_rows - column.n_missing, "num_missing": column.n_missing}


def _completeness(column: ValueCounts) -> float:
    return 1 - column.n_missing / column.n_rows if column.n_rows else 1.0


def _numeric(name: str, column: NumericCounts) -> Json:
    figures: Json = {"common": _common(column), "completeness": _completeness(column)}
    if column.n_present:
        figures["approximate_num_distinct_values"] = len(column.values)
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
        "completeness": _completeness(column),
        "distinct_count": len(pairs),
        "distribution": {"categorical": {"buckets": buckets}},
    }
    return {"name": name, "inferred_type": "String", "string_statistics": figures}


def _constraint(name: str, column: ValueCounts) -> Json:
    entry: Json = {
        "name": name,
        "inferred_type": _inferred_type(column) if column.n_present else "Unknown",
        "completeness": _completeness(column),
    }
    if isinstance(column, NumericCounts) and column.n_present:
        entry["num_constraints"] = {"is_non_negative": bool(column.values[0] >= 0)}
    elif 0 < len(column.values) <= _MAX_DOMAINS and OTHER_LABELS not in column.values:
        entry["string_constraints"] = {"domains": column.values.tolist()}
    return entry


def _inferred_type(column: ValueCounts) -> str:
    if not isinstance(column, NumericCounts):
        return "String"
    return "Integral" if np.equal(np.mod(column.values, 1), 0).all() else "Fractional"


def described_window(baseline: Baseline, window: WindowCounts) -> dict[str, ValueCounts]:
    """Return a window's columns as AWS's files have them: the prediction first."""
    return {prediction_name(baseline): window.probabilities, **window.columns}


def described_reference(baseline: Baseline) -> dict[str, ValueCounts]:
    """Return the reference's columns as AWS's files have them; without predictions the first has no values."""
    test = baseline.test
    known = np.zeros(0) if test is None or test.probabilities is None else test.probabilities
    return {prediction_name(baseline): NumericCounts.of(known), **baseline.counts}


def write_reports(
    folder: Path,
    report: DriftReport,
    baseline: Baseline,
    window: WindowCounts,
    policy: Policy,
    state: WindowState | None = None,
) -> None:
    """Write the report files, all or none. Equal arguments give equal bytes.

    Parameters
    ----------
    state
        What the next run goes on from; None: from what an earlier run left.

    Raises
    ------
    PublishError
        If the folder cannot be written.
    """
    texts: dict[str, str] = {
        ReportFile.STATISTICS: _json(statistics(described_window(baseline, window), window.n_rows)),
        ReportFile.CONSTRAINTS: _json(constraints(described_reference(baseline), policy)),
        ReportFile.VIOLATIONS: _json(violations(report, baseline, policy)),
        ReportFile.WINDOW_COUNTS: window_counts_text(baseline, window),
        **({} if state is None else {ReportFile.WINDOW_STATE: window_state_text(state)}),
        # Last: who waits for the report then finds the other files.
        ReportFile.DRIFT_REPORT: report.to_json(),
    }
    write_together(folder, texts)


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"

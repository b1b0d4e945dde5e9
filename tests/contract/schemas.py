"""JSON schemas of the report files, written down from AWS's pages and from the issue that defines drift_report.json.

Sources: SageMaker Developer Guide, "Schema for Statistics (statistics.json file)", "Schema for Constraints
(constraints.json file)", "Schema for Violations (constraint_violations.json file)".
"""

import math
from typing import Any

from plumbline.contract.statistics import EffectMeasure

Schema = dict[str, Any]


def closed(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """An object that has these keys, the optional ones maybe, and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def array(items: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": items, **limits}


NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FRACTION: Schema = {"type": "number", "minimum": 0, "maximum": 1}
TEXT: Schema = {"type": "string"}
SWITCH: Schema = {"enum": ["Enabled", "Disabled"]}
COMMON = closed({"num_present": COUNT, "num_missing": COUNT})

NUMERICAL = closed(
    {
        "common": COMMON,
        "completeness": FRACTION,
        "approximate_num_distinct_values": COUNT,
        "mean": NUMBER,
        "sum": NUMBER,
        "std_dev": NUMBER,
        "min": NUMBER,
        "max": NUMBER,
        "distribution": closed(
            {
                "kll": closed(
                    {
                        "buckets": array(
                            closed({"lower_bound": NUMBER, "upper_bound": NUMBER, "count": COUNT}), maxItems=10
                        ),
                        "sketch": closed(
                            {"parameters": closed({"c": NUMBER, "k": NUMBER}), "data": array(array(NUMBER))}
                        ),
                    },
                    optional=("sketch",),
                )
            }
        ),
    },
    optional=(
        "completeness",
        "approximate_num_distinct_values",
        "mean",
        "sum",
        "std_dev",
        "min",
        "max",
        "distribution",
    ),
)
STRINGS = closed(
    {
        "common": COMMON,
        "completeness": FRACTION,
        "distinct_count": COUNT,
        "distribution": closed({"categorical": closed({"buckets": array(closed({"value": TEXT, "count": COUNT}))})}),
    },
    optional=("completeness",),
)
STATISTICS = closed(
    {
        "version": {"const": 0},
        "dataset": closed({"item_count": COUNT}),
        "features": array(
            {
                "oneOf": [
                    closed(
                        {
                            "name": TEXT,
                            "inferred_type": {"enum": ["Fractional", "Integral"]},
                            "numerical_statistics": NUMERICAL,
                        }
                    ),
                    closed({"name": TEXT, "inferred_type": {"const": "String"}, "string_statistics": STRINGS}),
                ]
            }
        ),
    }
)
CONSTRAINTS = closed(
    {
        "version": {"const": 0},
        "features": array(
            closed(
                {
                    "name": TEXT,
                    "inferred_type": {"enum": ["Integral", "Fractional", "String", "Unknown"]},
                    "completeness": FRACTION,
                    "num_constraints": closed({"is_non_negative": {"type": "boolean"}}),
                    "string_constraints": closed({"domains": array(TEXT)}),
                    "monitoringConfigOverrides": {"type": "object"},
                },
                optional=("num_constraints", "string_constraints", "monitoringConfigOverrides"),
            )
        ),
        "monitoring_config": closed(
            {
                "evaluate_constraints": SWITCH,
                "emit_metrics": SWITCH,
                "datatype_check_threshold": NUMBER,
                "domain_content_threshold": NUMBER,
                "distribution_constraints": closed(
                    {
                        "perform_comparison": SWITCH,
                        "comparison_threshold": NUMBER,
                        "comparison_method": {"enum": ["Simple", "Robust"]},
                        "categorical_comparison_threshold": NUMBER,
                        "categorical_drift_method": {"enum": ["LInfinity", "ChiSquared"]},
                    },
                    optional=("categorical_comparison_threshold", "categorical_drift_method"),
                ),
            }
        ),
    }
)
VIOLATIONS = closed(
    {
        "violations": array(
            closed(
                {
                    "feature_name": TEXT,
                    "constraint_check_type": {
                        "enum": [
                            "data_type_check",
                            "completeness_check",
                            "baseline_drift_check",
                            "missing_column_check",
                            "extra_column_check",
                            "categorical_values_check",
                        ]
                    },
                    "description": TEXT,
                }
            )
        )
    }
)


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


EFFECTS: Schema = {
    measure.value: {"type": "number", "minimum": 0}
    | ({"maximum": measure.declaration.upper_end} if math.isfinite(measure.declaration.upper_end) else {})
    for measure in EffectMeasure
}
REASON_GIVEN: Schema = closed({"code": {"type": "string", "pattern": "^[a-z0-9_]+$"}, "text": TEXT})
REASON: Schema = maybe(REASON_GIVEN)
VERDICT: Schema = {"enum": ["drift", "no_drift", "not_judged"]}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}
STATUS: Schema = {"enum": ["estimated", "not_judged"]}
FEATURE = closed(
    {
        "name": TEXT,
        "type": {"enum": ["numeric", "categorical"]},
        "effects": closed(EFFECTS, optional=tuple(EFFECTS)),
        "test": maybe(TEXT),
        "statistic": maybe(NUMBER),
        "p_value": maybe(FRACTION),
        "log_p_value": maybe({"type": "number", "maximum": 0}),
        "p_value_adjusted": maybe(FRACTION),
        "null_q99_distance": maybe({"type": "number", "minimum": 0}),
        "effect_measure": {"enum": [*EffectMeasure]},
        "effect_threshold": maybe(NUMBER),
        "past_threshold": maybe(NUMBER),
        "min_sample_size": maybe(COUNT),
        "critical": {"type": "boolean"},
        "approximate": {"type": "boolean"},
        "relative_error": maybe(FRACTION),
        "missing_fraction": maybe(FRACTION),
        "missing_fraction_reference": maybe(FRACTION),
        "missing_p_value_adjusted": maybe(FRACTION),
        "tail_p_value_adjusted": maybe(FRACTION),
        "unseen_fraction": maybe(FRACTION),
        "out_of_range_fraction": maybe(FRACTION),
        "unreadable": COUNTS,
        "unreadable_examples": {"type": "object", "additionalProperties": array(TEXT, maxItems=5)},
        "unreadable_fraction": maybe(FRACTION),
        "top_contributors": array(closed({"label": TEXT, "reference_fraction": FRACTION, "window_fraction": FRACTION})),
        "violation": maybe({"enum": ["missing_column_check", "data_type_check"]}),
        "verdict": VERDICT,
        "reason": REASON,
    }
)
WINDOW = closed({"start": maybe(TEXT), "end": maybe(TEXT)})
RECORDS = closed(
    {
        "read": COUNT,
        "used": COUNT,
        "rejected": COUNTS,
        "examples": {"type": "object", "additionalProperties": array(TEXT, maxItems=5)},
        "seen": {"type": "object", "additionalProperties": array(TEXT, maxItems=5)},
    }
)
PREDICTIONS = closed(
    {
        "task": maybe({"enum": ["binary", "multiclass", "regression"]}),
        "kind": {"enum": ["probability", "log_odds", "label", "value"]},
        "positive_label": maybe(TEXT),
        "path": maybe(TEXT),
        "stated": array({"enum": ["kind", "path", "positive_label"]}, maxItems=3),
    }
)
ANSWERS = closed(
    {
        "readings": array(TEXT, maxItems=5),
        "read": COUNT,
        "used": COUNT,
        "unreadable": COUNTS,
        "examples": {"type": "object", "additionalProperties": array(TEXT, maxItems=5)},
    }
)
MEASURES = ["accuracy", "area_under_curve", "precision", "recall", "f1", "log_loss", "calibration_error"]
MEASURE = closed(
    {
        "measure": {"enum": MEASURES},
        "status": STATUS,
        "reason": REASON,
        **dict.fromkeys(("value", "lower", "upper", "reference"), maybe({"type": "number", "minimum": 0})),
    }
)
SHIFTS = ["covariate_shift", "label_shift", "concept_shift"]
SHIFT = closed(
    {
        "shift": {"enum": SHIFTS},
        "verdict": VERDICT,
        "reason": REASON,
        "p_value": maybe(FRACTION),
        "effect": maybe(FRACTION),
    }
)
LABEL_SHIFT = closed(
    {
        "status": STATUS,
        "reason": REASON,
        "selected": {"type": "boolean"},
        "positive_fraction": maybe(FRACTION),
        "positive_fraction_reference": maybe(FRACTION),
        "explained_fraction": maybe(NUMBER),
        "residual_separability": maybe(FRACTION),
        "estimate": maybe(FRACTION),
        "lower": maybe(FRACTION),
        "upper": maybe(FRACTION),
    }
)
EVIDENCE = closed(
    {
        "separability": maybe(FRACTION),
        "over_represented_fraction": maybe(FRACTION),
        "out_of_support_fraction": maybe(FRACTION),
        "gate_statistic": maybe(NUMBER),
        "weighted": {"type": "boolean"},
        "spread": maybe(FRACTION),
        "test_area_under_curve": maybe(FRACTION),
    }
)
BIAS_METRICS = [
    "difference_in_positive_proportions",
    "disparate_impact",
    "true_positive_rate_difference",
    "false_positive_rate_difference",
]
BIAS_MEASURE = closed(
    {
        "metric": {"enum": BIAS_METRICS},
        "verdict": VERDICT,
        "reason": REASON,
        **dict.fromkeys(("value", "lower", "upper", "reference", "reference_lower", "reference_upper"), maybe(NUMBER)),
    }
)
BIAS = closed(
    {
        "status": STATUS,
        "reason": REASON,
        "facet": maybe(TEXT),
        "threshold": maybe(FRACTION),
        "verdict": VERDICT,
        "groups": array(
            closed(
                {
                    "value": TEXT,
                    "n_rows": COUNT,
                    "n_rows_reference": COUNT,
                    "selection_rate": maybe(FRACTION),
                    "selection_rate_reference": maybe(FRACTION),
                    "verdict": VERDICT,
                    "reason": REASON,
                    "measures": array(BIAS_MEASURE),
                }
            )
        ),
    }
)
ATTRIBUTION = closed(
    {
        "status": STATUS,
        "reason": REASON,
        "verdict": VERDICT,
        "ndcg": maybe(FRACTION),
        "threshold": maybe(FRACTION),
        "n_rows": COUNT,
        "n_rows_reference": COUNT,
        "features": array(
            closed(
                {
                    "name": TEXT,
                    "importance": {"type": "number", "minimum": 0},
                    "importance_reference": {"type": "number", "minimum": 0},
                    "rank": {"type": "integer", "minimum": 1},
                    "rank_reference": {"type": "integer", "minimum": 1},
                }
            )
        ),
    }
)
MISS = closed(
    {
        "window": WINDOW,
        "n_rows": COUNT,
        "miss": {"type": "number", "minimum": -1, "maximum": 1},
        "half_width": FRACTION,
        "evidence": EVIDENCE,
    }
)
WINDOW_QUALITIES = array(
    closed(
        {
            "window": WINDOW,
            "n_rows": COUNT,
            "n_labelled": COUNT,
            "labelled_fraction": maybe(FRACTION),
            "is_final": {"type": "boolean"},
            "hours_added": COUNT,
            "verdict": VERDICT,
            "reason": REASON,
            "measures": array(MEASURE),
            "projected": maybe(MEASURE),
            "projection_error": maybe({"type": "number", "minimum": -1, "maximum": 1}),
            "miss": maybe(MISS),
            "shifts": array(SHIFT, maxItems=2),
            "selection": closed({"verdict": VERDICT, "reason": REASON, "features": array(TEXT)}),
            "bias": BIAS,
        }
    )
)
QUALITY = closed(
    {
        "reason": REASON,
        "lag_hours": COUNT,
        "minimum_labelled_fraction": maybe(FRACTION),
        "drop_threshold": maybe(FRACTION),
        "labels": RECORDS,
        "windows": WINDOW_QUALITIES,
        "variants": {"type": "object", "additionalProperties": WINDOW_QUALITIES},
    }
)
MODEL = closed({"artifact": TEXT, "baseline": TEXT, "model_package": maybe(TEXT), "champion_from": maybe(TEXT)})

PROJECTED_ACCURACY = closed(
    {
        "status": STATUS,
        "reason": REASON,
        "estimate": maybe(FRACTION),
        "lower": maybe(FRACTION),
        "upper": maybe(FRACTION),
        "half_widths": maybe(closed({"sampling": FRACTION, "history": FRACTION, "feedback": NUMBER})),
        "correction": {"type": "number", "minimum": -1, "maximum": 1},
        "n_labelled_windows": COUNT,
        "reference": maybe(FRACTION),
        "drop": maybe(NUMBER),
        "method": maybe(TEXT),
        "verdict": VERDICT,
        "verdict_reason": REASON,
        "drop_threshold": maybe(FRACTION),
        "assumed_shift": {"enum": SHIFTS},
        "warnings": array(REASON_GIVEN),
        "measures": array(MEASURE),
        "label_shift": LABEL_SHIFT,
        "evidence": EVIDENCE,
        "note": TEXT,
    }
)
OVER_TIME = closed(
    {
        "name": TEXT,
        "verdict": VERDICT,
        "reason": REASON,
        "evidence": maybe(NUMBER),
        "start": maybe(TEXT),
        "difference": maybe(NUMBER),
    }
)

DRIFT_REPORT = closed(
    {
        "version": {"const": 5},
        "window": WINDOW,
        "endpoint": maybe(TEXT),
        "schedule": maybe(TEXT),
        "records": RECORDS,
        "answers": ANSWERS,
        "predictions": PREDICTIONS,
        "n_rows": COUNT,
        "verdict": VERDICT,
        "reason": REASON,
        "rule": TEXT,
        "hours_added": COUNT,
        "model": maybe(MODEL),
        "shifts": array(SHIFT, minItems=3, maxItems=3),
        "bias": BIAS,
        "attribution": ATTRIBUTION,
        "quality": QUALITY,
        "warnings": array(REASON_GIVEN),
        "past": REASON,
        "internal_faults": array(closed({"name": TEXT, "text": TEXT})),
        "features": array(FEATURE),
        "prediction": FEATURE,
        "projected_accuracy": PROJECTED_ACCURACY,
        "isolation_forest_similarity": closed(
            {"status": STATUS, "reason": REASON, "relative_difference_percent": maybe(NUMBER)}
        ),
        "over_time": closed(
            {
                "verdict": VERDICT,
                "reason": REASON,
                "start": maybe(TEXT),
                "alpha": maybe(NUMBER),
                "evidence_threshold": maybe(NUMBER),
                "n_windows": COUNT,
                "n_rows": COUNT,
                "features": array(OVER_TIME),
                "prediction": maybe(OVER_TIME),
            }
        ),
        "accepted": closed(
            {
                "is_used": {"type": "boolean"},
                "reason": REASON,
                "windows": array(WINDOW),
                "n_windows": COUNT,
                "n_rows": COUNT,
                "accepted_at": maybe(TEXT),
                "accepted_by": maybe(TEXT),
                "stated_reason": maybe(TEXT),
                "accepted_features": array(TEXT),
                "accepted_prediction": {"type": "boolean"},
                "features": array(FEATURE),
                "prediction": maybe(FEATURE),
            }
        ),
        "segments": array(
            closed(
                {
                    "kind": {"enum": ["variant", "column"]},
                    "value": TEXT,
                    "n_rows": COUNT,
                    "verdict": VERDICT,
                    "reason": REASON,
                    "features": array(FEATURE),
                }
            )
        ),
        "variant": maybe(TEXT),
        "variants": array(
            closed(
                {
                    "variant": TEXT,
                    "role": {"enum": ["production", "shadow", "unknown"]},
                    "records": RECORDS,
                    "n_rows": COUNT,
                    "verdict": VERDICT,
                    "reason": REASON,
                    "features": array(FEATURE),
                    "prediction": FEATURE,
                    "projected_accuracy": PROJECTED_ACCURACY,
                }
            )
        ),
        "multivariate": closed(
            {
                "status": STATUS,
                "reason": REASON,
                "verdict": VERDICT,
                "verdict_reason": REASON,
                "threshold": maybe(FRACTION),
                "past_threshold": maybe(FRACTION),
                "area_under_curve": maybe(FRACTION),
                "p_value": maybe(FRACTION),
                "n_reference": COUNT,
                "n_window": COUNT,
            }
        ),
    }
)
COLUMN_COUNTS = closed(
    {
        "n_missing": COUNT,
        "values": {"type": "array"},
        "counts": array({"type": "integer", "minimum": 1}),
        "n_absent": COUNT,
        "unreadable": COUNTS,
        "relative_error": FRACTION,
    },
    optional=("n_absent", "unreadable", "relative_error"),
)
WINDOW_COUNTS = closed(
    {
        "version": {"const": 1},
        "start": maybe(TEXT),
        "end": maybe(TEXT),
        "n_rows": COUNT,
        "rejected_fraction": FRACTION,
        "checksum": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "features": array(closed({"name": TEXT, "type": {"enum": ["numeric", "categorical"]}})),
        "probabilities": COLUMN_COUNTS,
        "counts": array(COLUMN_COUNTS),
    }
)
_SERIES_MEANS = {"type": "object", "additionalProperties": array(closed({"n_rows": COUNT, "mean": FRACTION}))}
_EVIDENCE = {"type": "object", "additionalProperties": closed({"log_e": NUMBER, "start": TEXT})}
_COURSE = closed(
    {
        "reference": TEXT,
        "dispersions": array(closed({"total": NUMBER, "n_steps": NUMBER})),
        "evidence": _EVIDENCE,
    }
)
WINDOW_STATE = closed(
    {
        "version": {"const": 1},
        "start": TEXT,
        "end": TEXT,
        "checksum": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "day": array(closed({"start": TEXT, "end": TEXT, "n_rows": COUNT, "means": _SERIES_MEANS})),
        "courses": {"type": "object", "additionalProperties": _COURSE},
        "misses": array(MISS),
    }
)
METRIC_LINE = closed(
    {
        "MetricName": TEXT,
        "Timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
        "Dimensions": array(closed({"Name": TEXT, "Value": {"type": "string", "minLength": 1, "maxLength": 1024}})),
        "Value": NUMBER,
    }
)

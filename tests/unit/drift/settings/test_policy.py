import json
from pathlib import Path

import pytest

from plumbline.contract.records import EffectMeasure, FeatureType
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from plumbline.drift.settings.policy_file import read_policy

NUMERIC, CATEGORICAL = FeatureType.NUMERIC, FeatureType.CATEGORICAL
WASSERSTEIN, SCORE = EffectMeasure.WASSERSTEIN_DISTANCE, EffectMeasure.DRIFT_SCORE
DISTANCE = EffectMeasure.JENSEN_SHANNON_DISTANCE


def written(folder: Path, document: object) -> Path:
    path = folder / "policy.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def read(folder: Path, document: object, base: Policy = Policy()) -> Policy:  # noqa: B008 - immutable
    return read_policy(written(folder, document), base)


def test_a_feature_without_rules_has_those_of_all() -> None:
    rule = Policy(alpha=0.01, effect_threshold=0.3).rule("age", NUMERIC)
    assert (rule.alpha, rule.effect_threshold, rule.critical, rule.unjudged) == (0.01, 0.3, False, None)


def test_a_feature_overrides_what_it_names() -> None:
    policy = Policy(features={"age": FeaturePolicy(alpha=0.001, critical=True)})
    rule = policy.rule("age", NUMERIC)
    assert (rule.alpha, rule.effect_threshold, rule.critical) == (0.001, Policy().effect_threshold, True)
    assert policy.rule(None, NUMERIC).alpha == Policy().alpha


def test_another_measure_brings_its_own_threshold() -> None:
    policy = Policy(effect_threshold=0.3, features={"age": FeaturePolicy(effect_measure=SCORE)})
    assert policy.rule("age", NUMERIC).effect_threshold == DEFAULT_EFFECT_THRESHOLDS[SCORE]


def test_categories_have_no_wasserstein_distance() -> None:
    policy = Policy(effect_measure=WASSERSTEIN, effect_threshold=0.5)
    numeric, categorical = policy.rule("age", NUMERIC), policy.rule("sex", CATEGORICAL)
    assert (numeric.effect_measure, numeric.effect_threshold) == (WASSERSTEIN, 0.5)
    assert (categorical.effect_measure, categorical.effect_threshold) == (DISTANCE, DEFAULT_EFFECT_THRESHOLDS[DISTANCE])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"alpha": 0.0}, "alpha must be above 0, below 1, got 0.0"),
        ({"missing_values_threshold": 1.0}, "missing_values_threshold must be above 0, below 1, got 1.0"),
        ({"effect_threshold": 1.0}, "effect_threshold must be above 0, below 1 for the jensen_shannon_distance"),
        ({"effect_threshold": 200.0, "effect_measure": SCORE}, "above 0, below 200 for the drift_score"),
        ({"effect_threshold": float("nan"), "effect_measure": WASSERSTEIN}, "got nan"),
        ({"minimum_rows": 1}, "minimum_rows must be 2 or more, got 1"),
        ({"drifted_fraction": 0.0}, "drifted_fraction must be above 0, at most 1, got 0.0"),
        ({"drifted_fraction": 1.01}, "drifted_fraction must be above 0, at most 1, got 1.01"),
        ({"features": {"age": FeaturePolicy(alpha=2.0)}}, "alpha of 'age' must be above 0, below 1, got 2.0"),
        (
            {"features": {"age": FeaturePolicy(effect_threshold=1.5)}},
            "effect_threshold of 'age' must be above 0, below 1",
        ),
    ],
)
def test_a_threshold_out_of_range_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Policy(**changes)  # type: ignore[arg-type]


def test_rules_for_unknown_features_are_refused_with_the_known_ones() -> None:
    policy = Policy(features={"agee": FeaturePolicy(ignore=True)})
    with pytest.raises(ConfigError, match="must be the baseline's, got 'agee'; allowed there: age, sex"):
        policy.require_features({"age": NUMERIC, "sex": CATEGORICAL})


def test_a_categorical_feature_cannot_ask_for_a_wasserstein_distance() -> None:
    policy = Policy(features={"sex": FeaturePolicy(effect_measure=WASSERSTEIN)})
    with pytest.raises(ConfigError, match="effect_measure of 'sex' must suit a categorical feature"):
        policy.require_features({"sex": CATEGORICAL})
    policy.require_features({"sex": NUMERIC})


def test_the_file_says_more_than_the_environment(tmp_path: Path) -> None:
    document = {
        "version": 2,
        "alpha": 0.01,
        "drifted_fraction": 0.25,
        "features": {"age": {"critical": True, "effect_threshold": 0.3}, "id": {"ignore": True}},
    }
    policy = read(tmp_path, document, Policy(minimum_rows=300, missing_values_threshold=0.2))
    assert (policy.alpha, policy.drifted_fraction) == (0.01, 0.25)
    assert (policy.minimum_rows, policy.missing_values_threshold) == (300, 0.2)
    assert policy.features == {
        "age": FeaturePolicy(critical=True, effect_threshold=0.3),
        "id": FeaturePolicy(ignore=True),
    }


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": 2}, Policy(alpha=0.2)) == Policy(alpha=0.2)


def test_a_measure_in_the_file_brings_its_threshold(tmp_path: Path) -> None:
    policy = read(tmp_path, {"version": 2, "effect_measure": "drift_score"})
    assert (policy.effect_measure, policy.effect_threshold) == (SCORE, DEFAULT_EFFECT_THRESHOLDS[SCORE])
    policy = read(tmp_path, {"version": 2, "effect_measure": "drift_score", "effect_threshold": 5})
    assert policy.effect_threshold == 5.0


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "must be readable JSON, got "),
        ('{"version": 2, "alpha": 0.1, "alpha": 0.2}', "a key twice among "),
        ([], r"must hold a JSON object, got \[\]"),
        ({}, r'version 2, got None; write \{"version": 2, "features": \{\.\.\.\}\}'),
        ({"version": 3}, "must be a policy of version 2, got 3"),
        (
            {"version": 1, "missing_threshold": 0.1, "drifted_share": 0.3},
            "version 2, got 1; .*, and missing_values_threshold for missing_threshold, and drifted_fraction for "
            "drifted_share",
        ),
        ({"version": 2, "bias_tolerance": 0.1}, "got 'bias_tolerance'; it is now bias_threshold; allowed there: "),
        (
            {"version": 2, "alfa": 0.1},
            "must have known keys, got 'alfa'; allowed there: version, features, alpha, effect_measure, "
            "effect_threshold, missing_values_threshold, out_of_range_threshold, unreadable_values_threshold, ",
        ),
        (
            {"version": 2, "features": {"age": {"minimum_rows": 3}}},
            "features.age in .* got 'minimum_rows'; allowed there: alpha, effect_measure, effect_threshold, "
            "critical, ignore",
        ),
        ({"version": 2, "features": []}, r"features in .* must be an object by feature name, got \[\]"),
        ({"version": 2, "features": {"age": 3}}, "features.age in .* must be an object, got 3"),
        ({"version": 2, "alpha": "0.1"}, "alpha in .* must be a number, got '0.1'"),
        ({"version": 2, "alpha": True}, "alpha in .* must be a number, got True"),
        ({"version": 2, "minimum_rows": 3.0}, "minimum_rows in .* must be a whole number, got 3.0"),
        ({"version": 2, "effect_measure": ["drift_score"]}, "must be one of jensen_shannon_distance, drift_score, "),
        ({"version": 2, "effect_measure": "psi"}, "must be one of jensen_shannon_distance, drift_score, "),
        ({"version": 2, "features": {"a": {"critical": 1}}}, "critical in features.a in .* must be true or false"),
        ({"version": 2, "alpha": 7}, "alpha must be above 0, below 1, got 7.0"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(tmp_path: Path, document: object, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        read(tmp_path, document)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be readable JSON"):
        read_policy(tmp_path / "absent.json", Policy())

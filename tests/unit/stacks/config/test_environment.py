import re
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.accepted import Acceptance
from plumbline.contract.retraining import HARM, TriggerKind
from plumbline.contract.statistics import EffectMeasure
from plumbline.contract.thresholds import REMOVED_KEYS, RENAMED_KEYS, THRESHOLDS, Threshold
from plumbline.local.demo.deployment import derive
from plumbline.stacks.config.availability import MISSING_TYPES, InstanceUse, instance_types, missing_types
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.file import load_environment, on_engine, parse_environment
from plumbline.stacks.config.schedule import WINDOW_HOURS, Engine, interval_hours
from plumbline.stacks.config.xgboost_image import xgboost_image
from tests.unit.stacks.synthesis import ENVIRONMENTS, ROOT, config, document

*_FIRST, _LAST = map(str, EffectMeasure)
LONG_WINDOWS: dict[str, Any] = {"alarms": {"monitor_silence_hours": 48}, "labels": {"lag_hours": 24}}
"""What has to be as long as two windows of a day, or as one."""
MEASURES = f"{', '.join(map(repr, _FIRST))} or {_LAST!r}"


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        parse_environment(data, "dev.toml")
    return str(caught.value)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_committed_environment_is_named_like_its_file(name: str) -> None:
    assert load_environment(name, ROOT).name == name


def test_environment_defaults_to_dev() -> None:
    assert load_environment(None, ROOT).name == "dev"


def test_environment_may_be_a_path(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text((ROOT / "environments" / "dev.toml").read_text().replace('"dev"', '"other"'))
    assert load_environment(str(file), ROOT).name == "other"


def test_fails_when_environment_is_unknown() -> None:
    with pytest.raises(EnvironmentFileError, match=r"must name one of dev, prod, staging, .* got 'qa'"):
        load_environment("qa", ROOT)


def test_fails_when_file_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("name = ")
    with pytest.raises(EnvironmentFileError, match=r"broken.toml must be TOML, got .*"):
        load_environment(str(file), ROOT)


def test_fails_when_file_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "latin.toml"
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(EnvironmentFileError, match=r"latin.toml must be a readable file in UTF-8, got .*"):
        load_environment(str(file), ROOT)


def test_a_section_that_is_a_number_is_no_section() -> None:
    data = document() | {"capture": 3}
    assert refusal(data) == "capture must be a section of keys, got 3; set it in dev.toml"


def test_a_list_of_wrong_entries_is_not_too_short_besides() -> None:
    data = document(network={"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-0c000000"]})
    assert refusal(data) == (
        "network.subnet_ids.0 must be a subnet like subnet-0123456789abcdef0, got 'subnet-1'; set it in dev.toml"
    )


def test_fails_when_key_is_unknown_and_lists_the_allowed_ones() -> None:
    assert refusal(document(capture={"sampling": 5})) == (
        "capture.sampling must be a known key, got 'sampling'; allowed there: sampling_percent; correct it in dev.toml"
    )


def test_fails_when_key_of_an_optional_section_is_unknown() -> None:
    data = document(endpoint={"autoscaling": {"maximum_count": 3, "invocations_per_instance": 9, "max": 1}})
    assert "allowed there: maximum_count, invocations_per_instance;" in refusal(data)


def test_fails_when_section_is_unknown_and_lists_the_sections() -> None:
    message = refusal(document(moniter={"engine": "scheduler"}))
    assert message.startswith("moniter must be a known key, got 'moniter'; allowed there: name, region,")
    assert " monitor," in message


def test_fails_when_key_is_missing() -> None:
    data = document()
    del data["retraining"]["cooldown_hours"]
    assert refusal(data) == "retraining.cooldown_hours must be set, got nothing; add it to dev.toml"


def test_every_fault_gets_its_own_line() -> None:
    assert len(refusal(document(capture={"sampling_percent": 0}, name="Dev")).splitlines()) == 2


@pytest.mark.parametrize(
    ("section", "key", "accepted", "refused"),
    [
        ("capture", "sampling_percent", (1, 100), (0, 101)),
        ("training", "max_runtime_seconds", (60, 86400), (59, 86401)),
        ("retraining", "cooldown_hours", (0, 720), (-1, 721)),
        ("retraining", "runs_per_day", (1, 24), (0, 25)),
        ("retraining", "minimum_fresh_rows", (1,), (0,)),
        ("retraining", "fresh_hours", (1, 168), (0, 169, 721)),
        ("retraining", "holdout_margin", (0.001, 0.999), (0, 1)),
        ("retraining", "test_margin", (0.001, 0.999), (0, 1)),
        ("retraining", "slice_margin", (0.001, 0.999), (0, 1)),
        ("retraining", "minimum_slice_rows", (1,), (0,)),
        ("retraining", "fresh_weight_fraction", (0.001, 1), (0, 1.001)),
        ("retraining", "volume_gb", (1, 16384), (0, 16385)),
        ("retraining", "max_runtime_seconds", (60, 86400), (59, 86401)),
        ("promotion", "bake_minutes", (1, 60), (0, 61)),
        ("promotion", "latency_milliseconds", (1, 60000), (0, 60001)),
        ("endpoint", "instance_count", (1, 100), (0, 101)),
        ("monitor", "max_runtime_seconds", (60, 3600), (59, 3601)),
        ("monitor", "instance_count", (1, 100), (0, 101)),
        ("monitor", "spark_above_gb", (0, 100), (-1,)),
        ("monitor", "volume_gb", (1, 16384), (0, 16385)),
        ("thresholds", "minimum_rows", (2,), (1,)),
        ("thresholds", "maximum_rejected_fraction", (0.001, 1), (0, 1.001)),
        ("thresholds", "alpha", (0.001, 0.999), (0, 1)),
        ("thresholds", "effect_threshold", (0.001, 0.999), (0, 1)),
        ("thresholds", "drifted_fraction", (0.001, 1), (0, 1.001)),
        ("thresholds", "missing_values_threshold", (0.001, 0.999), (0, 1)),
        ("thresholds", "accuracy_drop_threshold", (0.001, 0.999), (0, 1)),
        ("labels", "lag_hours", (1, 166), (0, 169)),
        ("labels", "minimum_labelled_fraction", (0.001, 1), (0, 1.001)),
        ("bias", "threshold", (0.001, 0.999), (0, 1)),
        ("alarms", "monitor_silence_hours", (2, 168), (1, 169)),
        ("alarms", "drift_periods", (1, 168), (0, 169)),
        ("alarms", "not_judged_datapoints", (1, 4), (0, 5)),
        ("alarms", "not_judged_periods", (2, 168), (0, 169)),
        ("alarms", "rejected_fraction", (0.001, 1.0), (0.0, 1.001)),
        ("retention", "capture_days", (2, 3650), (0, 3651)),
        ("retention", "log_days", (7, 365), (8, 0)),
    ],
)
def test_number_is_held_to_its_bounds(
    section: str, key: str, accepted: tuple[float, ...], refused: tuple[float, ...]
) -> None:
    for value in accepted:
        assert getattr(getattr(config(**{section: {key: value}}), section), key) == value
    for value in refused:
        message = refusal(document(**{section: {key: value}}))
        assert re.search(rf"must .*, got .*{re.escape(str(value))}.*; set it in dev.toml", message), message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "a" * 17}, "name must "),
        ({"name": "dev-"}, "name must be 1 to 16 lower-case letters"),
        ({"region": "Frankfurt"}, "region must be a region like eu-central-1, got 'Frankfurt'"),
        ({"region": "us-east-1\n"}, "region must "),
        ({"account": "123"}, "account must be an account of 12 digits, got '123'"),
        ({"account": 123456789012}, "account must be text in quotes, got 123456789012"),
        ({"tags": {"owner": 5}}, "tags.owner must be text in quotes, got 5"),
        ({"tags": {"AWS:x": "y"}}, "tags.AWS:x.[key] must be 1 to 128 characters that do not begin with aws:"),
        ({"capture": {"sampling_percent": 0.5}}, "capture.sampling_percent must be a whole number without quotes"),
        ({"thresholds": {"alpha": "0.05"}}, "thresholds.alpha must be a number without quotes, got '0.05'"),
        ({"alarms": {"emails": "a@b.org"}}, "alarms.emails must be a list in brackets, got 'a@b.org'"),
        ({"alarms": {"emails": ["ops"]}}, "alarms.emails.0 must be an e-mail address, got 'ops'"),
        ({"removal": "keep"}, "removal must be 'destroy' or 'retain', got 'keep'"),
        ({"termination_protection": "yes"}, "termination_protection must be true or false without quotes, got 'yes'"),
        ({"permissions_boundary": "boundary"}, "permissions_boundary must "),
        (
            {"capture": {"sampling_percent": "50"}},
            "capture.sampling_percent must be a whole number without quotes, got '50'",
        ),
        (
            {"monitor": {"spark_master": "local"}},
            "monitor.spark_master must be a master like spark://host:7077, got 'local'",
        ),
        (
            {"monitor": {"spark_master": f"spark://{'a' * 249}"}},
            "monitor.spark_master must be a master like spark://host:7077, got 'spark://",
        ),
        (
            {"monitor": {"spark_master": "yarn", "instance_count": 2}},
            "monitor must have instance_count 1 with spark_master yarn, got 2",
        ),
        ({"monitor": {"engine": "cron"}}, "monitor.engine must be 'model_monitor' or 'scheduler', got 'cron'"),
        ({"monitor": {"isolation_forest": 1}}, "monitor.isolation_forest must be true or false without quotes, got 1"),
        ({"monitor": {"variant": "all traffic"}}, "monitor.variant must be the name of a production variant, got 'all"),
        (
            {"thresholds": {"effect_measure": "psi"}},
            f"thresholds.effect_measure must be {MEASURES}, got 'psi'",
        ),
        ({"features": {"age": 3}}, "features.age must be a section of keys, got 3; set it in dev.toml"),
        ({"features": {"age": {}}}, "features.age must have at least one key, got none; set it in dev.toml"),
        (
            {"features": {"age": {"alpa": 0.1}}},
            "features.age.alpa must be a known key, got 'alpa'; allowed there: critical, ignore, type, alpha,",
        ),
        ({"features": {"age": {"alpha": 1}}}, "features.age.alpha must be less than 1, got 1; set it in dev.toml"),
        ({"features": {"age": {"critical": "yes"}}}, "features.age.critical must be true or false without quotes"),
        ({"features": {"": {"critical": True}}}, "features..[key] must be 1 to 256 characters, got ''"),
        ({"labels": {"lag_hours": 6.5}}, "labels.lag_hours must be a whole number without quotes, got 6.5"),
        (
            {"labels": {"lag": 6}},
            "labels.lag must be a known key, got 'lag'; allowed there: lag_hours, minimum_labelled_fra",
        ),
        ({"retraining": {"enabled": "on"}}, "retraining.enabled must be true or false without quotes, got 'on'"),
        ({"retraining": {"slice_columns": "sex"}}, "retraining.slice_columns must be a list in brackets, got 'sex'"),
        (
            {"retraining": {"slice_columns": ["a,b"]}},
            "retraining must have slice_columns without commas and of 256 characters together, got 'a,b'; set it in",
        ),
        (
            {"retraining": {"slice_columns": ["a" * 128, "b" * 128]}},
            "retraining must have slice_columns without commas and of 256 characters together, got 'aaa",
        ),
        ({"promotion": {"approval": "yes"}}, "promotion.approval must be 'automatic' or 'manual', got 'yes'"),
        ({"promotion": {"traffic": "linear"}}, "promotion.traffic must be 'canary' or 'all_at_once', got 'linear'"),
        (
            {"promotion": {"traffic": "canary", "canary_percent": 51}},
            "promotion.canary_percent must be less than or equal to 50, got 51",
        ),
        (
            {"promotion": {"traffic": "canary"}},
            'promotion must have canary_percent for traffic "canary", got none; set it in dev.toml',
        ),
        (
            {"promotion": {"canary_percent": 20}},
            'promotion must have canary_percent for traffic "canary" only, got 20; set it in dev.toml',
        ),
        ({"bias": {"facet": ""}}, "bias.facet must be 1 to 256 characters, got ''"),
        ({"predictions": {"kind": "margin"}}, "predictions.kind must be 'probability', 'log_odds', 'label' or 'value'"),
        ({"predictions": {"positive_label": ""}}, "predictions.positive_label must have at least 1 character, got ''"),
        (
            {"predictions": {"path": "a["}},
            "predictions must have a path that is a JMESPath expression or a column's number from 0, got 'a['",
        ),
        (
            {"predictions": {"kind": "value", "positive_label": "yes"}},
            "predictions must have no positive_label with kind value, got 'yes'",
        ),
        ({"bias": {"facet": 3}}, "bias.facet must be text in quotes, got 3"),
        ({"monitor": {"attribution": 1}}, "monitor.attribution must be true or false without quotes, got 1"),
        ({"endpoint": {"instance_type": "m5.large"}}, "endpoint.instance_type must "),
        ({"model": {"artifact": "model.zip"}}, "model.artifact must end in .tar.gz, got 'model.zip'"),
        ({"model": {"baseline": "s3://b"}}, "model.baseline must be a local path or s3://bucket/key, got 's3://b'"),
        ({"training": {"train": "rows.parquet"}}, "training.train must be a local .csv file or an s3:// prefix"),
        ({"training": {"target_label": ""}}, "training.target_label must "),
        ({"training": {"segment_column": ""}}, "training.segment_column must be 1 to 256 characters, got ''"),
        ({"training": {"missing_values": ["x" * 33]}}, "training.missing_values.0 must be at most 32 characters"),
        (
            {"training": {"missing_values": ["x" * 32] * 9}},
            "training must have missing_values of 256 characters together as a list, got 324; set it in dev.toml",
        ),
        (
            {"features": {"age": {"type": "id", "critical": True}}},
            "features.age must be judged to be critical, got type 'id'; set it in dev.toml",
        ),
        ({"features": {"age": {"type": "name"}}}, "features.age.type must be "),
        (
            {"features": {"x" * 250 + str(n): {"type": "id"} for n in range(10)}},
            "dev.toml must have types of features of 2500 characters together as JSON, got 2610; set it in dev.toml",
        ),
        (
            {"training": {"segment_column": "income"}},
            "training must have a segment_column other than target_label, got 'income'; set it in dev.toml",
        ),
        (
            {"training": {"time_column": "income"}},
            "training must have a time_column other than target_label and segment_column, got 'income'; set it in ",
        ),
        ({"training": {"time_column": ""}}, "training.time_column must be 1 to 256 characters, got ''"),
        (
            {"network": {"subnet_ids": [], "security_group_ids": ["sg-0c000000"]}},
            "network.subnet_ids must have at least one entry, got []",
        ),
        ({"network": {"subnet_ids": ["subnet-0a"]}}, "network.subnet_ids.0 must "),
        ({"network": {"subnet_ids": ["subnet-0a000000"]}}, "network.security_group_ids must be set, got nothing"),
    ],
)
def test_fails_when_value_breaks_its_rule(change: dict[str, Any], said: str) -> None:
    assert refusal(document(**change)).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"alarms": {"drift_datapoints": 3, "drift_periods": 2}},
            "alarms must have drift_datapoints of at most drift_periods 2, got 3",
        ),
        (
            {"alarms": {"not_judged_datapoints": 5, "not_judged_periods": 4}},
            "alarms must have not_judged_datapoints of at most not_judged_periods 4, got 5",
        ),
        (
            {
                "monitor": {"schedule": "cron(0 3 ? * * *)"},
                "alarms": {"monitor_silence_hours": 48, "not_judged_periods": 8},
            },
            "dev.toml must have alarms.not_judged_periods of at most 7, got 8",
        ),
        (
            {"endpoint": {"autoscaling": {"maximum_count": 2, "invocations_per_instance": 1}, "instance_count": 2}},
            "endpoint must have autoscaling.maximum_count above instance_count 2, got 2",
        ),
        (
            {"monitor": {"schedule": "cron(0 0/6 ? * * *)"}},
            "dev.toml must have alarms.monitor_silence_hours of at least two runs, 12, got 3",
        ),
        (
            {"monitor": {"schedule": "cron(0 3 ? * * *)"}, "alarms": {"monitor_silence_hours": 48, "drift_periods": 8}},
            "dev.toml must have alarms.drift_periods of at most 7, got 8",
        ),
        (
            {"thresholds": {"effect_threshold": 1.0}},
            "thresholds must have effect_threshold below 1 for the jensen_shannon_distance, got 1.0",
        ),
        (
            {"thresholds": {"effect_measure": "drift_score", "effect_threshold": 200.0}},
            "thresholds must have effect_threshold below 200 for the drift_score, got 200.0",
        ),
        (
            {"features": {"age": {"effect_threshold": 2.0}}},
            "dev.toml must have features.age.effect_threshold below 1 for the jensen_shannon_distance, got 2.0",
        ),
        (
            {"labels": {"lag_hours": 167}},
            "dev.toml must have retention.capture_days of at least 8 for labels.lag_hours 167, got 7",
        ),
        (
            {
                "monitor": {"schedule": "cron(0 0/12 ? * * *)"},
                "alarms": {"monitor_silence_hours": 24},
                "labels": {"lag_hours": 11},
            },
            "dev.toml must have labels.lag_hours of at least one window, 12, got 11",
        ),
        (
            {"promotion": {"traffic": "canary", "canary_percent": 50}},
            'dev.toml must have endpoint.instance_count of at least 2 for promotion.traffic "canary", got 1',
        ),
        (
            {"retraining": {"fresh_hours": 169}},
            "dev.toml must have retraining.fresh_hours within retention.capture_days, 168 hours, got 169",
        ),
        (
            {"retraining": {"slice_columns": ["income"]}},
            "dev.toml must have retraining.slice_columns without training.target_label, got 'income'",
        ),
        (
            {"bias": {"facet": "income"}},
            "dev.toml must have a bias.facet other than training.target_label, got 'income'",
        ),
        (
            {"model": {"artifact": f"s3://models/{'a' * 238}.tar.gz"}},
            "dev.toml must have a model.artifact of at most 256 characters with monitor.attribution, got 257",
        ),
        (
            {"features": {"age": {"critical": True, "ignore": True}}},
            "features.age must be critical or ignored, got both",
        ),
    ],
)
def test_fails_when_settings_contradict_each_other(change: dict[str, Any], said: str) -> None:
    assert refusal(document(**change)) == f"{said}; set it in dev.toml"


def test_effect_threshold_is_held_to_the_measure_that_it_is_for() -> None:
    wide = {"effect_measure": "drift_score", "effect_threshold": 60.0}
    assert config(thresholds=wide, features={"age": {"effect_threshold": 150.0}}).features["age"].critical is False
    own = {"age": {"effect_measure": "wasserstein_distance", "effect_threshold": 2.5}}
    assert config(features=own).features["age"].effect_threshold == 2.5


def test_lag_may_be_as_long_as_captures_are_kept() -> None:
    assert config(labels={"lag_hours": 166}).labels is not None
    assert config(labels={"lag_hours": 168}, retention={"capture_days": 8}).labels is not None
    daily: dict[str, Any] = {"monitor": {"schedule": "cron(0 3 ? * * *)"}, "alarms": {"monitor_silence_hours": 48}}
    assert config(**daily, labels={"lag_hours": 120}).labels is not None
    # Anything beyond five whole windows is six: their captures and the newest window's are seven days old.
    assert "capture_days of at least 8 for labels.lag_hours 121, got 7" in refusal(
        document(**daily, labels={"lag_hours": 121})
    )


def test_name_of_the_model_may_be_long_where_no_variable_holds_it() -> None:
    long = {"model": {"artifact": f"s3://models/{'a' * 238}.tar.gz"}}
    assert config("staging", **long).model.artifact
    assert config(model={"artifact": f"s3://models/{'a' * 237}.tar.gz"}).monitor.attribution


def test_file_without_the_optional_sections_awaits_no_labels_and_measures_no_bias() -> None:
    staging = config("staging")
    assert (staging.labels, staging.bias, staging.monitor.attribution) == (None, None, False)


def test_without_labels_there_is_nothing_to_retrain_on() -> None:
    assert refusal(document("staging", retraining={"enabled": True})) == (
        "dev.toml must have retraining.enabled = false without a section [labels], as only labelled captures are "
        "trained on, got true; set it in dev.toml"
    )
    # Nothing is started, whatever the hours are.
    assert not config("staging", retraining={"fresh_hours": 720}, retention={"capture_days": 1}).retraining.enabled


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        ({"retraining": {"test_margin": 0.2}}, True),
        ({"retraining": {"slice_columns": []}}, True),
        ({"retraining": {"fresh_hours": 24}}, True),
        ({"training": {"train": "starter/data/test.csv"}}, True),
        ({"features": {"age": {"type": "categorical"}}}, True),
        ({"retraining": {"triggers": ["drift"], "cooldown_hours": 1, "runs_per_day": 9, "volume_gb": 9}}, False),
        ({"training": {"max_runtime_seconds": 60}}, False),
    ],
)
def test_rules_of_retraining_are_what_a_challenger_is_trained_and_judged_by(
    change: dict[str, Any], is_other: bool
) -> None:
    assert (config(**change).retraining_rules != config().retraining_rules) == is_other


ALLOWED = "quality, projected_accuracy, concept_shift, drift, multivariate or over_time"


def test_harm_starts_retraining_where_the_file_lists_nothing() -> None:
    data = document()
    data["retraining"].pop("triggers", None)
    assert parse_environment(data, "dev.toml").retraining.triggers == (
        TriggerKind.QUALITY,
        TriggerKind.PROJECTED_ACCURACY,
        TriggerKind.CONCEPT_SHIFT,
    )


@pytest.mark.parametrize("chosen", [(), ("drift",), tuple(TriggerKind)])
def test_any_triggers_may_be_listed_and_none(chosen: tuple[str, ...]) -> None:
    assert config(retraining={"triggers": list(chosen)}).retraining.triggers == chosen


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("drfit", f"must be {ALLOWED}, got 'drfit' (nearest: drift)"),
        ("Concept-Shift", f"must be {ALLOWED}, got 'Concept-Shift' (nearest: concept_shift)"),
        ("accuracy", f"must be {ALLOWED}, got 'accuracy' (nearest: projected_accuracy)"),
        ("xyz", f"must be {ALLOWED}, got 'xyz'"),
        (1, f"must be {ALLOWED}, got 1"),
        (True, f"must be {ALLOWED}, got True"),
        (["drift"], f"must be {ALLOWED}, got ['drift']"),
    ],
)
def test_fails_when_a_trigger_is_none_and_names_those_that_are(written: object, said: str) -> None:
    data = document(retraining={"triggers": ["quality", written]})
    assert refusal(data) == f"retraining.triggers.1 {said}; set it in dev.toml"


def test_fails_when_triggers_are_no_list() -> None:
    assert refusal(document(retraining={"triggers": "drift"})) == (
        "retraining.triggers must be a list in brackets, got 'drift'; set it in dev.toml"
    )


def test_fails_when_a_trigger_is_listed_twice() -> None:
    assert refusal(document(retraining={"triggers": ["drift", "quality", "drift"]})) == (
        "retraining must have triggers that differ, got drift, quality, drift; set it in dev.toml"
    )


@pytest.mark.parametrize(
    ("chosen", "unseen"),
    [(["quality", "drift"], "quality"), (["quality", "concept_shift"], "quality and concept_shift")],
)
def test_fails_when_a_listed_trigger_needs_labels_and_there_are_none(chosen: list[str], unseen: str) -> None:
    assert refusal(document("staging", retraining={"triggers": chosen})) == (
        f"dev.toml must have retraining.triggers without {unseen} where there is no section [labels], got "
        f"{', '.join(chosen)}; leave out what only labels show, or add [labels]; set it in dev.toml"
    )


def test_fails_when_whole_rows_are_listed_and_not_judged() -> None:
    assert refusal(document(monitor={"multivariate": False}, retraining={"triggers": ["multivariate"]})) == (
        "dev.toml must have retraining.triggers without multivariate where monitor.multivariate is false, got "
        "multivariate; leave it out, or set monitor.multivariate = true; set it in dev.toml"
    )


def test_default_triggers_stand_without_labels_and_without_whole_rows() -> None:
    data = document("staging", monitor={"multivariate": False})
    data["retraining"].pop("triggers")
    assert parse_environment(data, "staging.toml").retraining.triggers == HARM


def test_canary_of_a_larger_fleet_is_accepted() -> None:
    chosen = config(
        endpoint={"instance_count": 2}, promotion={"traffic": "canary", "canary_percent": 10, "bake_minutes": 1}
    )
    assert chosen.promotion.canary_percent == 10


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.name)
def test_a_threshold_that_the_file_does_not_set_has_its_default(row: Threshold) -> None:
    section = getattr(config(), row.section)
    assert getattr(section, row.key) == row.default
    assert section.variables() == {}


@pytest.mark.parametrize(("name", "instead"), REMOVED_KEYS.items())
def test_a_key_that_is_gone_names_what_is_in_its_place(name: str, instead: str) -> None:
    section, key = name.split(".")
    said = f"{name} must not be set any more: {instead} (docs/upgrading.md); remove it from dev.toml"
    assert refusal(document(**{section: {key: 3}})) == said


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new in RENAMED_KEYS.items() if "." in old])
def test_an_old_key_is_refused_with_its_new_name(old: str, new: str) -> None:
    section, key = old.split(".")
    said = f"{old} must have its new name {new} (docs/upgrading.md); rename it in dev.toml"
    assert refusal(document(**{section: {key: 0.1}})) == said
    assert new.split(".")[1] in type(getattr(config(), section)).model_fields


def test_configuration_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        config().capture.sampling_percent = 5


@pytest.mark.parametrize(
    ("engine", "expression", "hours"),
    [
        (Engine.MODEL_MONITOR, "cron(0 * ? * * *)", 1),
        (Engine.MODEL_MONITOR, "cron(0 0/2 ? * * *)", 2),
        (Engine.MODEL_MONITOR, "cron(0 0/12 ? * * *)", 12),
        (Engine.MODEL_MONITOR, "cron(0 23 ? * * *)", 24),
        (Engine.SCHEDULER, "cron(10 * ? * * *)", 1),
        (Engine.SCHEDULER, "cron(59 * ? * * *)", 1),
        (Engine.SCHEDULER, "cron(20 0/6 ? * * *)", 6),
        (Engine.SCHEDULER, "cron(45 3 ? * * *)", 24),
    ],
)
def test_schedule_tells_the_hours_between_runs(engine: Engine, expression: str, hours: int) -> None:
    assert interval_hours(engine, expression) == hours


@pytest.mark.parametrize(
    ("engine", "expression"),
    [
        (Engine.MODEL_MONITOR, "cron(20 * ? * * *)"),
        (Engine.MODEL_MONITOR, "cron(0 0/5 ? * * *)"),
        (Engine.MODEL_MONITOR, "cron(0 24 ? * * *)"),
        (Engine.MODEL_MONITOR, "rate(30 minutes)"),
        (Engine.SCHEDULER, "cron(9 * ? * * *)"),
        (Engine.SCHEDULER, "cron(60 * ? * * *)"),
        (Engine.SCHEDULER, "cron(0/30 * ? * * *)"),
        (Engine.SCHEDULER, "cron(0 3 ? * * *)"),
        (Engine.SCHEDULER, "cron(5 0/2 ? * * *)"),
        (Engine.SCHEDULER, "cron(20 0/7 ? * * *)"),
        (Engine.SCHEDULER, "cron(20 24 ? * * *)"),
    ],
)
def test_fails_when_engine_cannot_run_the_schedule(engine: Engine, expression: str) -> None:
    with pytest.raises(ValueError, match=r"must have a schedule cron\(.* got .*\("):
        interval_hours(engine, expression)


@pytest.mark.parametrize("hours", WINDOW_HOURS)
@pytest.mark.parametrize("engine", Engine)
def test_a_window_of_so_many_hours_has_a_schedule_on_both_engines(engine: Engine, hours: int) -> None:
    monitor = config("dev", engine, monitor={"window_hours": hours}, **LONG_WINDOWS).monitor
    assert (monitor.interval_hours, interval_hours(engine, monitor.expression)) == (hours, hours)


def test_a_window_looks_back_by_no_hour_unless_the_file_says_so() -> None:
    assert (config().monitor.look_back_hours, config().monitor.overlapping_runs) == (0, 1)


@pytest.mark.parametrize(
    ("window_hours", "look_back_hours", "runs"), [(1, 1, 2), (1, 23, 24), (4, 1, 2), (4, 4, 2), (4, 5, 3), (24, 24, 2)]
)
def test_runs_that_can_judge_one_row(window_hours: int, look_back_hours: int, runs: int) -> None:
    monitor = {"window_hours": window_hours, "look_back_hours": look_back_hours}
    assert config(monitor=monitor, **LONG_WINDOWS).monitor.overlapping_runs == runs


@pytest.mark.parametrize("hours", [-1, 169])
def test_look_back_is_a_week_at_most(hours: int) -> None:
    assert "monitor.look_back_hours must be" in refusal(document(monitor={"look_back_hours": hours}))


@pytest.mark.parametrize(
    ("base", "changes", "message"),
    [
        (
            "prod",
            {"monitor": {"look_back_hours": 83}},
            "prod.toml must have alarms.drift_periods of at most 2 for monitor.look_back_hours 83, got 3",
        ),
        (
            "dev",
            {"monitor": {"look_back_hours": 164}},
            "dev.toml must have retention.capture_days of at least 8 for monitor.look_back_hours 164, got 7",
        ),
    ],
)
def test_look_back_fits_alarms_and_captures(base: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        parse_environment(document(base, **changes), f"{base}.toml")
    assert str(caught.value) == f"{message}; set it in {base}.toml"
    changes["monitor"]["look_back_hours"] -= 1
    assert parse_environment(document(base, **changes), f"{base}.toml").monitor.look_back_hours


@pytest.mark.parametrize("hours", [0, -1, 5, 7, 16, 25, 48])
def test_a_window_must_divide_a_day(hours: int) -> None:
    refused = refusal(document(monitor={"window_hours": hours}))
    assert refused == f"monitor.window_hours must be 1, 2, 3, 4, 6, 8, 12 or 24, got {hours}; set it in dev.toml"


@pytest.mark.parametrize("hours", [1.0, 1.5, "4", True, "1h", [1]])
def test_a_window_has_whole_hours(hours: object) -> None:
    refused = refusal(document(monitor={"window_hours": hours}))
    assert refused == f"monitor.window_hours must be a whole number without quotes, got {hours!r}; set it in dev.toml"


def test_a_schedule_alone_says_how_long_a_window_is() -> None:
    data = document(monitor={"schedule": "cron(0 0/4 ? * * *)"}, **LONG_WINDOWS)
    monitor = parse_environment(data, "dev.toml").monitor
    assert (monitor.window_hours, monitor.interval_hours) == (None, 4)


def test_schedule_and_window_must_agree() -> None:
    refused = refusal(document(monitor={"schedule": "cron(0 0/4 ? * * *)", "window_hours": 6}, **LONG_WINDOWS))
    assert refused == (
        "monitor must have a schedule with 6 hours between two runs for window_hours 6, got 'cron(0 0/4 ? * * *)'; "
        "leave one of the two out; set it in dev.toml"
    )


@pytest.mark.parametrize(
    ("written", "engine", "expression"),
    [
        ({}, "scheduler", "cron(20 * ? * * *)"),
        ({"schedule": "cron(0 * ? * * *)"}, "scheduler", "cron(20 * ? * * *)"),
        ({"schedule": "cron(0 0/12 ? * * *)"}, "scheduler", "cron(20 0/12 ? * * *)"),
        ({"schedule": "cron(0 7 ? * * *)"}, "scheduler", "cron(20 7 ? * * *)"),
        ({"engine": "scheduler", "schedule": "cron(35 * ? * * *)"}, "scheduler", "cron(35 * ? * * *)"),
        ({"engine": "scheduler", "schedule": "cron(35 0/2 ? * * *)"}, "model_monitor", "cron(0 0/2 ? * * *)"),
        ({"engine": "scheduler", "window_hours": 8}, "model_monitor", "cron(0 0/8 ? * * *)"),
    ],
)
def test_engine_of_the_command_line_takes_the_files_place(
    tmp_path: Path, written: dict[str, Any], engine: str, expression: str
) -> None:
    values = {f"{section}.{key}": value for section, keys in LONG_WINDOWS.items() for key, value in keys.items()}
    values |= {f"monitor.{key}": value for key, value in written.items()}
    file = derive(ROOT / "environments" / "dev.toml", tmp_path / "own.toml", values)
    if "schedule" in written:
        file.write_text(file.read_text().replace("window_hours = 1\n", ""))
    monitor = load_environment(str(file), ROOT, engine).monitor
    assert (monitor.engine, monitor.expression) == (engine, expression)


def test_engine_of_the_command_line_must_be_one() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load_environment("dev", ROOT, "sagemaker")
    assert str(caught.value) == (
        "engine must be model_monitor or scheduler, got 'sagemaker'; pass it as -c engine=scheduler"
    )


@pytest.mark.parametrize("monitor", ["none", 3, None, []])
def test_engine_of_the_command_line_hides_no_other_mistake(monitor: object) -> None:
    data = document() | {"monitor": monitor}
    assert refusal(on_engine(data, "scheduler")) == refusal(data)


def test_a_schedule_that_no_engine_runs_is_refused_as_written() -> None:
    data = document(monitor={"schedule": "rate(1 hour)"})
    assert "got 'rate(1 hour)'" in refusal(on_engine(data, "scheduler"))


@pytest.mark.parametrize("region", sorted(region for region in MISSING_TYPES if missing_types(region)))
@pytest.mark.parametrize("engine", Engine)
def test_a_region_is_refused_where_cloudformation_lacks_what_every_engine_needs(region: str, engine: Engine) -> None:
    told = refusal(on_engine(document() | {"region": region}, engine))
    assert told.startswith(
        f"dev.toml must have another region: in {region} CloudFormation does not make AWS::SageMaker::"
    )
    assert "plumbline monitor" in told


@pytest.mark.parametrize(
    ("section", "use"),
    [
        ("endpoint", InstanceUse.HOSTING),
        ("training", InstanceUse.TRAINING),
        ("monitor", InstanceUse.PROCESSING),
        ("retraining", InstanceUse.PROCESSING),
    ],
)
def test_an_instance_type_must_be_one_for_its_use(section: str, use: InstanceUse) -> None:
    others = frozenset().union(*(instance_types(other) for other in InstanceUse)) - instance_types(use)
    for wrong in [*sorted(others), "ml.banana.huge"]:
        told = refusal(document(**{section: {"instance_type": wrong}}))
        assert told.startswith(f"{section}.instance_type must be an instance type like ml."), told
        assert f"is none for {use.name.lower()}" in told
    for right in sorted(instance_types(use)):
        assert parse_environment(document(**{section: {"instance_type": right}}), "dev.toml")


@pytest.mark.parametrize("name", ["ml.m6g.large", "ml.c7g.xlarge", "ml.r8g.2xlarge", "ml.c6gn.4xlarge"])
def test_an_instance_on_arm_is_refused(name: str) -> None:
    told = refusal(document(endpoint={"instance_type": name}))
    assert "runs on ARM, and the images are for x86" in told


@pytest.mark.parametrize("name", ["ml.g4dn.xlarge", "ml.g5.xlarge"])
def test_an_instance_with_a_gpu_is_no_arm(name: str) -> None:
    assert parse_environment(document(endpoint={"instance_type": name}), "dev.toml").endpoint.instance_type == name


@pytest.mark.parametrize("region", sorted(region for region in MISSING_TYPES if not missing_types(region)))
def test_model_monitor_is_refused_before_the_first_stack_where_cloudformation_lacks_it(region: str) -> None:
    data = document() | {"region": region}
    assert refusal(data) == (
        f"dev.toml must have monitor.engine scheduler in region {region}, where CloudFormation makes no monitoring "
        "schedule, got model_monitor; set it in dev.toml"
    )
    assert parse_environment(on_engine(data, "scheduler"), "dev.toml").region == region


@pytest.mark.parametrize("engine", Engine)
def test_the_sentence_on_an_engine_is_one_and_names_the_other(engine: Engine) -> None:
    assert all(other.value in engine.sentence for other in Engine)
    assert ". " not in engine.sentence


def test_fails_when_region_has_no_image_and_says_where_to_add_it() -> None:
    with pytest.raises(EnvironmentFileError, match=r"got 'eu-north-9'; choose one of af-south-1, .*xgboost_registries"):
        xgboost_image("eu-north-9")


def test_every_section_of_the_model_is_in_every_committed_file() -> None:
    optional = {"accepted", "account", "permissions_boundary", "features", "network", "predictions", "thresholds"}
    for name in ENVIRONMENTS:
        absent = set(EnvironmentConfig.model_fields) - set(document(name))
        assert absent == optional | ({"labels", "bias"} if name == "staging" else set())


def test_a_path_that_no_file_system_takes_is_one_line(tmp_path: Path) -> None:
    text = (ROOT / "environments/dev.toml").read_text()
    (tmp_path / "long.toml").write_text(re.sub(r"(?m)^baseline = .*$", f'baseline = "{"x" * 5000}"', text))
    with pytest.raises(EnvironmentFileError, match=r"long\.toml must name paths that can be read, got .*; correct the"):
        load_environment(str(tmp_path / "long.toml"), ROOT)


ACCEPTED: dict[str, Any] = {
    "windows": ["2026-11-02T00:00:00+01:00/2026-11-03T00:00:00+01:00", "2026-11-01T00:00:00Z/2026-11-01T06:00:00Z"],
    "at": "2026-11-04",
    "by": "Ada",
    "reason": "the new region",
}


def test_accepted_windows_are_stated_in_utc_and_in_order() -> None:
    section = config(accepted=ACCEPTED).accepted
    assert section is not None
    stated = Acceptance.from_json(section.text)
    assert [(one.start, one.end) for one in stated.windows] == [
        ("2026-11-01T00:00:00Z", "2026-11-01T06:00:00Z"),
        ("2026-11-01T23:00:00Z", "2026-11-02T23:00:00Z"),
    ]
    assert (stated.at, stated.by, stated.has_prediction) == ("2026-11-04T00:00:00Z", "Ada", True)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"windows": []}, "must name at least one window"),
        ({"windows": ["2026-11-01T00:00:00Z"]}, "a window must be two times"),
        ({"windows": ["2026-11-02/2026-11-01"]}, "must end after it begins"),
        ({"windows": ["2026-11-01/2026-11-03", "2026-11-02/2026-11-04"]}, "must not overlap"),
        ({"windows": ["yesterday/today"]}, "must be ISO 8601"),
        ({"at": "soon"}, "must be ISO 8601"),
        ({"by": ""}, "by must say something"),
        ({"reason": "a\nb"}, "reason must be one line"),
        ({"reason": "a\u202eb"}, "reason must be one line"),
        ({"features": ["age", "age"]}, "must each be named once"),
        ({"prediction": True}, "must have prediction only with features"),
        ({"until": "2027-01-01"}, "until"),
    ],
)
def test_fails_when_what_is_accepted_is_no_statement(changes: dict[str, Any], text: str) -> None:
    assert text in refusal(document() | {"accepted": ACCEPTED | changes})

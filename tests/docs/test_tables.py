"""Every table of names on the pages lists exactly what the code has."""

import dataclasses
import json
import re
import tomllib
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from plumbline import exit_codes
from plumbline.contract.accuracy import LabelShiftScenario, MeasureReport, ProjectionEvidence
from plumbline.contract.attribution import AttributionFeature, AttributionReport
from plumbline.contract.bias import BiasGroup, BiasMeasure, BiasReport
from plumbline.contract.names import Metric
from plumbline.contract.predictions import PredictionsReport
from plumbline.contract.quality import QualityReport, ShiftReport, WindowQuality
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import (
    AnswerCounts,
    DriftReport,
    FeatureReport,
    ModelReport,
    RecordCounts,
    SegmentReport,
    VariantReport,
    WindowBounds,
)
from plumbline.contract.rejection import (
    ANSWER_REMEDIES,
    REMEDIES,
    WITHOUT_LOSS,
    AnswerReason,
    LabelRejectionReason,
    RejectionReason,
)
from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.contract.thresholds import THRESHOLDS, Threshold
from plumbline.drift import cli as container
from plumbline.drift.projection.classes import METHOD as CLASS_METHOD
from plumbline.drift.projection.estimate import METHOD, WEIGHTED_METHOD
from plumbline.drift.report.termination import EXIT_TERMINATED
from plumbline.report.summary import CANNOT_SEE
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.constructs.alarms.alarm_rules import RUNBOOK, AlarmKind
from tests.docs.pages import (
    ARCHITECTURE,
    CONFIGURATION,
    DEPLOYING,
    DRIFT_REPORT,
    METRICS,
    README,
    ROOT,
    STATISTICS,
    TROUBLESHOOTING,
    codes,
    first_codes,
    rows,
    section,
)

ENVIRONMENTS = ("dev", "staging", "prod")
ADRS = sorted((ROOT / "docs" / "adr").glob("0*.md"))
SETTINGS = [row for row in rows(CONFIGURATION.read_text().split("## Engine")[0]) if row[0].startswith("`")]


def nested(annotation: Any) -> type[BaseModel] | None:
    choices = (annotation, *typing.get_args(annotation))
    return next((kind for kind in choices if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        section_model = nested(field.annotation)
        if section_model is None:
            yield f"{prefix}{name}", field
        else:
            own_names = "<name>." if typing.get_origin(field.annotation) is dict else ""
            yield from fields(section_model, f"{prefix}{name}.{own_names}")


FIELDS = dict(fields(EnvironmentConfig))


def bounds(field: FieldInfo) -> str | None:
    """Return a number's bounds as the page spells them."""
    limits = {
        key: getattr(entry, key)
        for entry in [*field.metadata, *_of_optional(field)]
        for key in ("gt", "ge", "lt", "le")
        if getattr(entry, key, None) is not None
    }
    match limits:
        case {"gt": low, "le": high}:
            return f"above {low}, at most {high}"
        case {"gt": low, "lt": high}:
            return f"above {low}, below {high}"
        case {"ge": low, "le": high}:
            return f"{low} to {high}"
        case {"ge": low}:
            return f"{low} or more"
    return None


def _of_optional(field: FieldInfo) -> list[Any]:
    """Return the constraints of a value that may be absent: pydantic leaves them inside the annotation."""
    inside = [entry for kind in typing.get_args(field.annotation) for entry in getattr(kind, "__metadata__", ())]
    return [limit for entry in inside for limit in (entry.metadata if isinstance(entry, FieldInfo) else [entry])]


def choices(field: FieldInfo) -> set[str]:
    """Return the values of a closed choice."""
    kind: Any = field.annotation
    if type(None) in typing.get_args(kind):
        kind = typing.get_args(kind)[0]
    if kind is bool:
        return {"true", "false"}
    if typing.get_origin(kind) is typing.Literal:
        return {str(value) for value in typing.get_args(kind)}
    return {str(value) for value in kind} if isinstance(kind, type) and issubclass(kind, Enum) else set()


def shown(environment: str, key: str) -> str:
    """Return a committed value as the page spells it."""
    value: Any = tomllib.loads((ROOT / "environments" / f"{environment}.toml").read_text())
    for part in key.split("."):
        value = value.get(part, {}) if isinstance(value, dict) else {}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{name} = {text}" for name, text in value.items()) or "–"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def test_configuration_lists_exactly_the_keys_of_the_stacks_in_their_order() -> None:
    assert codes([row[0] for row in SETTINGS]) == list(FIELDS)


@pytest.mark.parametrize("row", SETTINGS, ids=[row[0] for row in SETTINGS])
def test_configuration_row_is_true(row: list[str]) -> None:
    (key,) = codes(row[:1])
    assert row[3:] == [shown(name, key) for name in ENVIRONMENTS]
    if allowed := bounds(FIELDS[key]):
        assert row[2] == allowed
    if named := choices(FIELDS[key]):
        page = first_codes(section(STATISTICS, "Statistics")) if "statistics.md" in row[2] else []
        assert set(re.findall(r"`([^`]+)`", row[2])) | (named & set(page)) == named


def test_optional_keys_say_what_their_absence_means() -> None:
    optional = {key for key in FIELDS if not FIELDS[key].is_required()} | {"network.subnet_ids"}
    silent = {key for (key, *_), row in ((codes(row[:1]), row) for row in SETTINGS) if "absent" not in row[1]}
    assert optional & silent <= {"tags", "alarms.emails"}


def test_metrics_are_those_of_the_contract() -> None:
    assert first_codes(section(METRICS, "Metrics")) == list(Metric)


def test_cost_counts_the_metrics_of_the_starter_baseline() -> None:
    n_features = len(json.loads((ROOT / "starter" / "baseline" / "baseline.json").read_text())["features"])
    n_plain = len(Metric) - 1
    assert f"{n_plain}, and one for each feature; {n_plain + n_features} for the census data" in section(
        DEPLOYING, "Cost"
    )


def test_alarms_are_those_of_the_contract_and_link_their_runbook() -> None:
    table = rows(section(METRICS, "Alarms"))
    assert codes([row[0] for row in table]) == [f"plumbline-<env>-{kind}" for kind in AlarmKind]
    assert [row[3].split("(")[1].rstrip(")") for row in table] == [
        f"{RUNBOOK.removeprefix('docs/')}#{kind}" for kind in AlarmKind
    ]
    assert f"{len(AlarmKind)} at 0.10" in section(DEPLOYING, "Cost")


def test_missing_data_policies_are_those_of_the_templates() -> None:
    snapshot = ROOT / "tests" / "snapshot" / "__snapshots__" / "test_stacks" / "test_environment[prod-monitoring].txt"
    deployed = re.findall(
        r'AlarmName: "plumbline-prod-([\w-]+)".*?TreatMissingData: "(\w+)"', snapshot.read_text(), re.DOTALL
    )
    listed = {
        name.removeprefix("plumbline-<env>-"): row[2]
        for row in rows(section(METRICS, "Alarms"))
        for name in codes(row[:1])
    }
    words = {"ignore": "ignore: the state stays", "breaching": "breaching", "notBreaching": "not breaching"}
    assert listed == {name: words[policy] for name, policy in deployed}


def test_statistics_are_the_numbers_of_a_report() -> None:
    numbers = {field.name for field in dataclasses.fields(FeatureReport) if field.type == (float | None)}
    expected = numbers | set(EffectMeasure) | {"projected_accuracy", "isolation_forest_similarity"}
    expected |= {"multivariate", "over_time"}
    assert set(first_codes(section(STATISTICS, "Statistics"))) == expected


@pytest.mark.parametrize("measure", EffectMeasure)
def test_effect_measure_is_explained_as_it_is_declared(measure: EffectMeasure) -> None:
    (shown,) = (row for row in rows(section(STATISTICS, "Statistics")) if codes(row[:1]) == [measure])
    assert shown[1] == ("labels or bins" if len(measure.types) == len(FeatureType) else "values")
    assert shown[5] == f"`effect_threshold`, {measure.declaration.default_threshold:g}"


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.name)
def test_threshold_is_explained_as_the_table_declares_it(row: Threshold) -> None:
    (shown,) = (cells for cells in SETTINGS if codes(cells[:1]) == [f"{row.section}.{row.key}"])
    assert shown[1] == f"{row.text}; absent: {row.absent}"


def test_exit_codes_are_those_of_both_programs() -> None:
    table = rows(section(TROUBLESHOOTING, "Exit codes"))
    in_container = {int(code) for code, meaning, _ in table if meaning}
    in_program = {int(code) for code, _, meaning in table if meaning}
    of_runs = {container.EXIT_FINISHED, container.EXIT_OPERATOR, container.EXIT_OURS}
    assert in_container == {*of_runs, EXIT_TERMINATED}
    known = {
        exit_codes.EXIT_FINISHED,
        exit_codes.EXIT_NEGATIVE,
        exit_codes.EXIT_OPERATOR,
        exit_codes.EXIT_OURS,
        exit_codes.EXIT_INTERRUPTED,
    }
    assert in_program == known


def keys_of(record: type[Any], prefix: str = "") -> list[str]:
    return [f"{prefix}{field.name}" for field in dataclasses.fields(record)]


def test_report_page_lists_exactly_the_keys_of_the_report() -> None:
    whole = {field.name: field for field in dataclasses.fields(DriftReport)}
    window = {
        "window": WindowBounds,
        "records": RecordCounts,
        "answers": AnswerCounts,
        "predictions": PredictionsReport,
        "model": ModelReport,
    }
    estimates = ("projected_accuracy", "isolation_forest_similarity")
    others = ("accepted", "segments", "multivariate", "over_time")
    elsewhere = {"features", "prediction", "shifts", "quality", "bias", "attribution", "variants"}
    plain = set(whole) - {*window, *estimates, *others, *elsewhere}
    expected = plain | {key for name, record in window.items() for key in keys_of(record, f"{name}.")}
    assert set(first_codes(section(DRIFT_REPORT, "The window"))) == expected
    feature = section(DRIFT_REPORT, "Each feature, and the prediction").split("### ")[0]
    assert first_codes(feature) == keys_of(FeatureReport)
    records = typing.get_type_hints(DriftReport)
    assert first_codes(section(DRIFT_REPORT, "Projected accuracy").split("### ")[0]) == [
        key for name in estimates for key in keys_of(records[name], f"{name}.")
    ]
    records["segments"] = SegmentReport
    assert first_codes(section(DRIFT_REPORT, "Other comparisons")) == [
        key for name in others for key in keys_of(records[name], f"{name}.")
    ]
    methods = (METHOD, WEIGHTED_METHOD, CLASS_METHOD)
    assert all(f"`{method}`" in DRIFT_REPORT.read_text() for method in methods)


PARTS: dict[str, list[str]] = {
    "Figures": keys_of(MeasureReport),
    "Evidence": keys_of(ProjectionEvidence),
    "If labels alone had shifted": keys_of(LabelShiftScenario),
    "Which shift": keys_of(ShiftReport),
    "Labels": [*keys_of(QualityReport, "quality."), *keys_of(WindowQuality)],
    "Variants": keys_of(VariantReport, "variants."),
    "Bias": [
        *keys_of(BiasReport, "bias."),
        *keys_of(BiasGroup, "bias.groups."),
        *keys_of(BiasMeasure, "bias.groups.measures."),
    ],
    "Feature attributions": [
        *keys_of(AttributionReport, "attribution."),
        *keys_of(AttributionFeature, "attribution.features."),
    ],
}


@pytest.mark.parametrize("title", PARTS)
def test_report_page_lists_exactly_the_keys_of_each_part(title: str) -> None:
    assert first_codes(section(DRIFT_REPORT, title)) == PARTS[title]


def test_every_reason_is_listed_with_its_text() -> None:
    listed = [(code.strip("`"), text) for code, text in rows(section(DRIFT_REPORT, "Reasons"))]
    assert listed == [(code.value, re.sub(r"{(\w+)[:!][^}]*}", r"{\1}", code.template)) for code in ReasonCode]


def test_every_reason_for_a_rejected_label_is_explained() -> None:
    assert first_codes(section(DRIFT_REPORT, "Why a label is rejected")) == list(LabelRejectionReason)


def test_every_reason_for_an_unreadable_answer_is_explained() -> None:
    table = {row[0].strip("`"): row[-1] for row in rows(section(DRIFT_REPORT, "Why an answer is unreadable"))}
    assert table == {str(reason): ANSWER_REMEDIES[reason] for reason in AnswerReason}


def test_every_reason_for_a_rejection_is_explained() -> None:
    assert first_codes(section(DRIFT_REPORT, "Why a record is rejected")) == list(RejectionReason)


def test_every_rejected_record_has_a_remedy_or_is_no_loss() -> None:
    assert sorted([*REMEDIES, *WITHOUT_LOSS]) == sorted(RejectionReason)


def test_limits_are_those_that_every_report_states() -> None:
    text = " ".join(section(README, "What it does not detect").split())
    assert [sentence for sentence in CANNOT_SEE if sentence not in text] == []


def test_index_lists_every_decision_under_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    listed = [tuple(re.findall(r"\[(.+)\]\((.+)\)", row[1])[0]) for row in rows(index)]
    titles = [(re.sub(r"^# \d+\. ", "", path.read_text().splitlines()[0]), path.name) for path in ADRS]
    assert listed == titles


def test_architecture_names_every_top_folder_of_code() -> None:
    named = set(re.findall(r"`(\w+)/`", section(ARCHITECTURE, "Folders")))
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"container", "lambda"} <= named
    assert all(Path(ROOT, name).is_dir() for name in named)

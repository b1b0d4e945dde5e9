"""Checks the local inputs that an environment file names, so that no deployment starts with files that do not fit."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.decoding import read_json
from plumbline.contract.names import BASELINE_FILE, READABLE_BASELINE_VERSIONS
from plumbline.contract.records import EffectMeasure, FeatureType
from plumbline.contract.statistics import ColumnType
from plumbline.contract.values import LEGACY_MISSING_VALUES
from plumbline.stacks.config.environment import EnvironmentConfig, TrainingSection
from plumbline.stacks.config.errors import EnvironmentFileError

PACKED = ".zip"


@dataclass(frozen=True)
class _Learned:
    """What a baseline was learned for, and the types of its features by name."""

    target_label: object
    segment_column: object
    missing_values: frozenset[str]
    features: Mapping[str, str]


def check_inputs(config: EnvironmentConfig, root: Path) -> None:
    """Check baseline, training and test files; what lies in S3 or does not exist is passed over.

    Raises
    ------
    EnvironmentFileError
        If the baseline is no baseline folder, was learned for another target or other segments, a facet, a slice
        column or a feature with settings is none of its, or a file does not have the columns that the settings name.
    """
    baseline = root / config.model.baseline
    if baseline.exists() and not config.model.baseline.endswith(PACKED):
        learned = _read_baseline(baseline, config.model.baseline)
        _check_training(config.training, learned)
        if config.bias:
            _require_categorical("bias.facet", config.bias.facet, learned.features)
        for name in config.retraining.slice_columns:
            _require_categorical("retraining.slice_columns", name, learned.features)
        _check_features(config, learned.features)
    for setting in ("train", "test"):
        file = root / getattr(config.training, setting)
        if file.is_file():
            _check_table(file, setting, config.training)


def _read_baseline(folder: Path, location: str) -> _Learned:
    try:
        document = read_json((folder / BASELINE_FILE).read_text(encoding="utf-8"))
        version = document["version"]
        features = {str(entry["name"]): _type_of(entry) for entry in document["features"]}
        missing = frozenset(document.get("missing_values", LEGACY_MISSING_VALUES))
        learned = _Learned(document["target_label"], document.get("segment_column"), missing, features)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EnvironmentFileError(
            f"model.baseline must be a folder with a readable {BASELINE_FILE}, got {location!r}; "
            "name the folder that `plumbline baseline` wrote"
        ) from error
    if version not in READABLE_BASELINE_VERSIONS:
        readable = " or ".join(map(str, READABLE_BASELINE_VERSIONS))
        raise EnvironmentFileError(
            f"model.baseline must be of version {readable}, got {version!r} in {location!r}; learn it again "
            "with `plumbline baseline`"
        )
    return learned


def _type_of(entry: Mapping[str, object]) -> str:
    """Return what a column is; one to be ignored is still read by its type."""
    unjudged = entry.get("unjudged", ColumnType.IGNORE)
    return str(entry["type"] if unjudged == ColumnType.IGNORE else unjudged)


def _check_training(training: TrainingSection, learned: _Learned) -> None:
    target, segments = training.target_label, training.segment_column
    if learned.target_label != target:
        raise EnvironmentFileError(
            f"training.target_label must be the target of model.baseline, {learned.target_label!r}, got {target!r}; "
            "correct it, or learn a baseline for that target"
        )
    if segments is not None:
        _require_categorical("training.segment_column", segments, learned.features)
    if learned.segment_column != segments:
        theirs, ours = (repr(name) if name else "none" for name in (learned.segment_column, segments))
        raise EnvironmentFileError(
            f"training.segment_column must be the segment column of model.baseline, {theirs}, got {ours}; correct it, "
            "or learn the baseline again to match"
        )
    if training.time_column in learned.features:
        raise EnvironmentFileError(
            f"training.time_column must be no feature of model.baseline, got {training.time_column!r}; learn it again "
            f"with `plumbline baseline --time-column {training.time_column}`"
        )
    # What an older baseline was learned with no file names; the next one that is learned has the default set.
    is_default = training.missing_values is None and learned.missing_values == LEGACY_MISSING_VALUES
    if training.missing_texts != learned.missing_values and not is_default:
        theirs, ours = (", ".join(map(repr, sorted(one))) for one in (learned.missing_values, training.missing_texts))
        raise EnvironmentFileError(
            f"training.missing_values must be the missing values of model.baseline, {theirs}, got {ours}; "
            "correct them, or learn the baseline again to match"
        )


def _require_categorical(setting: str, name: str, features: Mapping[str, str]) -> None:
    if features.get(name) != FeatureType.CATEGORICAL:
        allowed = ", ".join(name for name, kind in features.items() if kind == FeatureType.CATEGORICAL)
        raise EnvironmentFileError(
            f"{setting} must be a categorical feature of model.baseline, got {name!r}; allowed there: "
            f"{allowed or 'none'}; correct it in the environment file"
        )


def _check_features(config: EnvironmentConfig, known: Mapping[str, str]) -> None:
    for name, settings in config.features.items():
        if name not in known:
            raise EnvironmentFileError(
                f"features must be named as in model.baseline, got {name!r}; allowed there: {', '.join(known)}; "
                "correct it in the environment file"
            )
        if settings.type is not None and settings.type.is_judged and settings.type != known[name]:
            raise EnvironmentFileError(
                f"features.{name}.type must be as model.baseline was learned, {known[name]!r}, got "
                f"{settings.type.value!r}; learn it again with `plumbline baseline --feature-type "
                f"{name}={settings.type.value}`"
            )
        if settings.effect_measure is EffectMeasure.WASSERSTEIN_DISTANCE and known[name] != FeatureType.NUMERIC:
            raise EnvironmentFileError(
                f"features.{name}.effect_measure must be a measure for {known[name]} features, got "
                f"{settings.effect_measure.value!r}; choose another in the environment file"
            )


def _check_table(file: Path, setting: str, training: TrainingSection) -> None:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            header = [name.strip() for name in next(csv.reader(handle, skipinitialspace=True), [])]
    except (OSError, ValueError, csv.Error) as error:
        raise EnvironmentFileError(
            f"training.{setting} must be a CSV file in UTF-8, got {getattr(training, setting)!r}: {error}; "
            "save it again"
        ) from error
    for key in ("target_label", "segment_column", *(["time_column"] if setting == "train" else [])):
        name = getattr(training, key)
        if name is not None and name not in header:
            raise EnvironmentFileError(
                f"training.{setting} must have a column training.{key}, {name!r}, got {', '.join(header)!r}; correct "
                "the name, or name a file with a header row"
            )

"""Checks the local inputs that an environment file names, so that no deployment starts with files that do not fit."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from contract.names import BASELINE_FILE, BASELINE_VERSION
from contract.records import EffectMeasure, FeatureType
from stacks.config import EnvironmentConfig
from stacks.errors import ConfigError

PACKED = ".zip"


def check_inputs(config: EnvironmentConfig, root: Path) -> None:
    """Check baseline, training and test files; what lies in S3 or does not exist is passed over.

    Raises
    ------
    ConfigError
        If the baseline is no baseline folder, a feature with settings is none of its, or a file does not have the
        target.
    """
    target = config.training.target_label
    baseline = root / config.model.baseline
    if baseline.exists() and not config.model.baseline.endswith(PACKED):
        _check_features(config, _check_baseline(baseline, config.model.baseline, target))
    for setting in ("train", "test"):
        location = getattr(config.training, setting)
        if (root / location).is_file():
            _check_table(root / location, f"training.{setting}", location, target)


def _check_baseline(folder: Path, location: str, target: str) -> dict[str, str]:
    """Return the types of the baseline's features by name."""
    try:
        document = json.loads((folder / BASELINE_FILE).read_text(encoding="utf-8"))
        version, learned = document["version"], document["target_label"]
        features = {str(entry["name"]): str(entry["type"]) for entry in document["features"]}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"model.baseline must be a folder with a readable {BASELINE_FILE}, got {location!r}; "
            "name the folder that `plumbline baseline` wrote"
        ) from error
    if version != BASELINE_VERSION:
        raise ConfigError(
            f"model.baseline must be of version {BASELINE_VERSION}, got {version!r} in {location!r}; learn it again "
            "with `plumbline baseline`"
        )
    if learned != target:
        raise ConfigError(
            f"training.target_label must be the target of model.baseline, {learned!r}, got {target!r}; correct it, "
            "or learn a baseline for that target"
        )
    return features


def _check_features(config: EnvironmentConfig, known: Mapping[str, str]) -> None:
    for name, settings in config.features.items():
        if name not in known:
            raise ConfigError(
                f"features must be named as in model.baseline, got {name!r}; allowed there: {', '.join(known)}; "
                "correct it in the environment file"
            )
        if settings.effect_measure is EffectMeasure.WASSERSTEIN_DISTANCE and known[name] != FeatureType.NUMERIC:
            raise ConfigError(
                f"features.{name}.effect_measure must be a measure for {known[name]} features, got "
                f"{settings.effect_measure.value!r}; choose another in the environment file"
            )


def _check_table(file: Path, setting: str, location: str, target: str) -> None:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            header = [name.strip() for name in next(csv.reader(handle, skipinitialspace=True), [])]
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"{setting} must be a CSV file in UTF-8, got {location!r}: {error}; save it again") from error
    if target not in header:
        raise ConfigError(
            f"{setting} must have a column training.target_label, {target!r}, got {', '.join(header)!r}; correct the "
            "label, or name a file with a header row"
        )

"""Fill the committed definition with the values known at synthesis: names, images, roles, data and settings."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plumbline.contract.enums import StrEnum
from plumbline.contract.retraining import PipelineStep
from plumbline.contract.retraining_jobs import JobInput
from plumbline.stacks.config.environment import NetworkSection

FILE = Path(__file__).with_name("definition.json")
PATTERN = re.compile(r"\$\{(\w+)\}")


class Placeholder(StrEnum):
    """Values that the stack fills in, ``${Name}`` in definition.json; each is used at least once."""

    REGION = "Region"
    JOB_PREFIX = "JobPrefix"
    DRIFT_IMAGE = "DriftImage"
    XGBOOST_IMAGE = "XGBoostImage"
    JOB_ROLE = "JobRole"
    """Role of the jobs before and after training."""
    TRAINING_ROLE = "TrainingRole"
    KEY = "Key"
    ENVIRONMENT = "Environment"
    ENDPOINT = "Endpoint"
    MODEL_PACKAGE_GROUP = "ModelPackageGroup"
    TRAIN_DATA = "TrainData"
    TEST_DATA = "TestData"
    MERGED = "Merged"
    """Root of the captures joined with labels."""
    RETRAINING = "Retraining"
    """Root of the files of the pipeline's own jobs, a folder for each execution."""
    MODELS = "Models"
    SOURCE_ARCHIVE = "SourceArchive"
    TARGET_LABEL = "TargetLabel"
    SEGMENT_COLUMN = "SegmentColumn"
    """Empty: no segments."""
    TIME_COLUMN = "TimeColumn"
    """Empty: none."""
    MISSING_VALUES = "MissingValues"
    """JSON list; empty: the default set."""
    FEATURE_TYPES = "FeatureTypes"
    """JSON object: declared types by column; empty: none."""
    SLICE_COLUMNS = "SliceColumns"
    """Comma-separated; empty: no slices."""
    HOLDOUT_MARGIN = "HoldoutMargin"
    TEST_MARGIN = "TestMargin"
    SLICE_MARGIN = "SliceMargin"
    MINIMUM_SLICE_ROWS = "MinimumSliceRows"
    MINIMUM_FRESH_ROWS = "MinimumFreshRows"
    FRESH_WEIGHT_FRACTION = "FreshWeightFraction"
    INSTANCE_TYPE = "InstanceType"
    VOLUME_GB = "VolumeGb"
    MAX_RUNTIME_SECONDS = "MaxRuntimeSeconds"
    TRAINING_INSTANCE_TYPE = "TrainingInstanceType"
    TRAINING_MAX_RUNTIME_SECONDS = "TrainingMaxRuntimeSeconds"
    SERVING_ENVIRONMENT = "ServingEnvironment"
    """Variables of the serving container, a JSON object."""
    APPROVAL_STATUS = "ApprovalStatus"
    """Approval status of an accepted challenger."""
    COMMIT = "Commit"

    @property
    def text(self) -> str:
        """The placeholder in the definition."""
        return f"${{{self.value}}}"


OPTIONAL_HYPERPARAMETERS: Mapping[str, Placeholder] = {
    "segment_column": Placeholder.SEGMENT_COLUMN,
    "time_column": Placeholder.TIME_COLUMN,
    "missing_values": Placeholder.MISSING_VALUES,
    "feature_types": Placeholder.FEATURE_TYPES,
}
"""Hyperparameters of the training job that the environment file may leave out."""

PlaceholderValues = Mapping[Placeholder, Any]


class PlaceholderError(Exception):
    """Raised when definition.json and the placeholders do not match: one was changed without the other."""


def filled(values: PlaceholderValues, network: NetworkSection | None) -> dict[str, Any]:
    """Return the definition with `values` in place of the placeholders.

    A string that is a placeholder becomes the value itself, of any type; a placeholder in quotes, as in
    hyperparameters, becomes the value as JSON. Jobs join `network` where it is given.

    Raises
    ------
    PlaceholderError
        If the file has a placeholder without a value, or a value has no place in it.
    """
    text = FILE.read_text(encoding="utf-8")
    known, wanted = {name.value for name in values}, set(PATTERN.findall(text))
    if known != wanted:
        raise PlaceholderError(
            f"{FILE.name} must have a place for each value and no other, got {sorted(wanted - known)} without a value "
            f"and {sorted(known - wanted)} without a place; run make pipeline"
        )
    definition: dict[str, Any] = _fill(json.loads(text), {name.text: value for name, value in values.items()})
    for name, placeholder in OPTIONAL_HYPERPARAMETERS.items():
        if not values[placeholder]:
            # An argument of a job may be empty, a hyperparameter may not.
            _step(definition, PipelineStep.TRAIN)["HyperParameters"].pop(name)
    if not values[Placeholder.TIME_COLUMN]:
        # Nothing of the training job's output is read, and an input is never empty.
        inputs = _step(definition, PipelineStep.EVALUATE)["ProcessingInputs"]
        inputs[:] = [each for each in inputs if each["InputName"] != JobInput.TRAINED]
    if network:
        _join(definition["Steps"], network)
    return definition


def _fill(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if not isinstance(node, str):
        return node
    quoted = node.strip('"')
    if quoted in values:
        return values[node] if quoted == node else json.dumps(values[quoted])
    if PATTERN.search(node):
        raise PlaceholderError(
            f"{FILE.name} must hold a placeholder alone or in quotes, got {node!r}; run make pipeline"
        )
    return node


def _step(definition: Mapping[str, Any], name: PipelineStep) -> dict[str, Any]:
    (step,) = [step for step in definition["Steps"] if step["Name"] == name]
    arguments: dict[str, Any] = step["Arguments"]
    return arguments


def _join(steps: Sequence[dict[str, Any]], network: NetworkSection) -> None:
    vpc = {"Subnets": list(network.subnet_ids), "SecurityGroupIds": list(network.security_group_ids)}
    for step in steps:
        if step["Type"] == "Processing":
            step["Arguments"]["NetworkConfig"] = {"VpcConfig": vpc}
        elif step["Type"] == "Training":
            step["Arguments"]["VpcConfig"] = vpc

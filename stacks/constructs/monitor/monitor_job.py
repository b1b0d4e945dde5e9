"""The monitoring job, as both engines start it, and the policy file that it reads."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from plumbline.contract.names import PLATFORM_ROOT, POLICY_VERSION, Argument, Switch, Variable
from plumbline.stacks.config.environment import MonitorSection, NetworkSection, PredictionsSection
from plumbline.stacks.config.thresholds import (
    BiasSection,
    FeatureSection,
    LabelsSection,
    TableSection,
    ThresholdsSection,
)
from plumbline.stacks.constructs.storage.secure_bucket import allow_objects, objects_arn

INPUT_PATH = f"{PLATFORM_ROOT}/processing/input/endpoint"
OUTPUT_PATH = f"{PLATFORM_ROOT}/processing/output"
UPLOAD_MODE = "EndOfJob"
"""A run that dies leaves no partial report."""
POLICY_FILE = "policy.json"
ACCEPTED_FILE = "accepted.json"

Values = dict[Variable, str | float | None]


@dataclass(frozen=True, kw_only=True)
class LabelLocations:
    """Settings of labels, the URI where they arrive, and the root of the captures joined with them."""

    settings: LabelsSection
    labels_uri: str
    merged_uri: str


@dataclass(frozen=True, kw_only=True)
class MonitorJob:
    """Properties of the job that do not depend on the engine.

    `capture_uri` is the endpoint's own folder, `report_uri` the root of the engine's key layout. `policy_uri` is the
    policy file of single features, and `model_uri` the artifact whose attributions are computed. None: no policy of
    single features, no attributions, no labels, no bias, no VPC. `champion_uri` is the history of champions, by which
    a window gets the baseline of the model that served; `baseline_uri` is the first champion's. `accepted_uri` is where
    accepted windows are recorded, and `stated_uri` the file of those that the environment file accepts; None: none.
    """

    image_uri: str
    role_arn: str
    key_arn: str
    endpoint_name: str
    schedule_name: str
    capture_uri: str
    report_uri: str
    baseline_uri: str
    champion_uri: str
    accepted_uri: str
    stated_uri: str | None
    policy_uri: str | None
    model_uri: str | None
    target_label: str
    region: str
    monitor: MonitorSection
    thresholds: ThresholdsSection
    ground_truth: LabelLocations | None
    bias: BiasSection | None
    predictions: PredictionsSection | None
    network: NetworkSection | None

    @property
    def arguments(self) -> list[str]:
        """The container's arguments."""
        policy = [Argument.POLICY.value, self.policy_uri] if self.policy_uri else []
        stated = [Argument.ACCEPTED.value, self.stated_uri] if self.stated_uri else []
        reference = [Argument.BASELINE.value, self.baseline_uri, Argument.TARGET_LABEL.value, self.target_label]
        return [*reference, *stated, *policy]

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment variables besides the engine's; an absent setting has no variable."""
        values = _extras(self)
        sections: list[TableSection] = [self.thresholds]
        if self.ground_truth or self.monitor.look_back_hours:
            values[Variable.CAPTURE_S3_URI] = self.capture_uri
        if self.ground_truth:
            values |= _labels(self.ground_truth)
            sections.append(self.ground_truth.settings)
        if self.bias:
            values[Variable.FACET] = self.bias.facet
            sections.append(self.bias)
        if self.predictions:
            values |= _predictions(self.predictions)
        given = {name.value: str(value) for name, value in values.items() if value is not None}
        thresholds = {name: value for section in sections for name, value in section.variables().items()}
        return {"AWS_DEFAULT_REGION": self.region} | thresholds | given


def _extras(job: MonitorJob) -> Values:
    monitor = job.monitor
    return {
        Variable.ISOLATION_FOREST: _switch(monitor.isolation_forest),
        Variable.MULTIVARIATE: _switch(monitor.multivariate),
        Variable.MODEL_S3_URI: job.model_uri,
        Variable.CHAMPION_S3_URI: job.champion_uri,
        Variable.ACCEPTED_S3_URI: job.accepted_uri,
        Variable.VARIANT: monitor.variant,
        Variable.REPORTS_S3_URI: job.report_uri,
        Variable.LOOK_BACK_HOURS: monitor.look_back_hours or None,
        Variable.SPARK_ABOVE_GB: monitor.spark_above_gb,
        Variable.SPARK_MASTER: monitor.spark_master,
    }


def _labels(ground_truth: LabelLocations) -> Values:
    return {
        Variable.LABELS_S3_URI: ground_truth.labels_uri,
        Variable.LABEL_LAG_HOURS: ground_truth.settings.lag_hours,
        Variable.MERGED_S3_URI: ground_truth.merged_uri,
    }


def _predictions(predictions: PredictionsSection) -> Values:
    return {
        Variable.PREDICTION_KIND: predictions.kind,
        Variable.POSITIVE_LABEL: predictions.positive_label,
        Variable.PREDICTION_PATH: predictions.path,
    }


def _switch(on: bool) -> str:
    return Switch.ENABLED.value if on else Switch.DISABLED.value


class SettingsFile(Construct):
    """Settings of the job as a JSON object at `uri`, written at synthesis; equal settings give the same object.

    They are a file because an environment variable of a monitoring job holds at most 256 characters.

    Parameters
    ----------
    name, content
        The file's name, and its text.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, content: str) -> None:
        super().__init__(scope, construct_id)
        with tempfile.TemporaryDirectory(prefix="plumbline-settings-") as folder:
            file = Path(folder, name)
            file.write_text(content, encoding="utf-8")
            self._asset = assets.Asset(self, "Asset", path=str(file))
        self.uri = self._asset.s3_object_url

    def allow_read(self, role: iam.Role) -> None:
        """Let `role` read this object."""
        allow_objects(role, "s3:GetObject", objects_arn(self, self._asset.s3_bucket_name, self._asset.s3_object_key))


def policy_text(features: Mapping[str, FeatureSection]) -> str:
    """Return the policy file's content: the keys of each feature that the environment file sets."""
    rules = {name: settings.model_dump(mode="json", exclude_unset=True) for name, settings in features.items()}
    return json.dumps({"version": POLICY_VERSION, "features": rules}, indent=2, sort_keys=True) + "\n"

"""An account in memory behind the function's ports: one endpoint, one group of versions, files, parameters.

It keeps the rules that matter: one update at a time, states of an endpoint that move only when `settle` or `fail` is
called, and a function that dies at any call when told to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plumbline.contract.champion import ChampionHistory
from plumbline.contract.retraining import LoopVariable, ModelVariable, RetrainingMetric
from plumbline.functions.promotion.endpoint import BusyError, RefusedError
from plumbline.functions.promotion.facts import (
    EndpointView,
    PromotionReason,
    PromotionReasonCode,
    RegistryVersion,
    UnusedResources,
)
from plumbline.functions.promotion.handler import run
from plumbline.functions.promotion.history_store import UnreadableError
from plumbline.functions.promotion.ports import PromotionPorts
from plumbline.functions.promotion.sagemaker_requests import LiveConfiguration, Request
from plumbline.functions.promotion.settings import PromotionSettings
from plumbline.functions.promotion.state import PromotionState, PromotionTarget
from plumbline.functions.shared.notifications import LoopMessage
from plumbline.functions.shared.state_store import ConcurrentWriteError, Document, StateStore

START = datetime(2026, 3, 1, 5, tzinfo=UTC)
GROUP = "plumbline-dev"
ROLE = "arn:aws:iam::000000000000:role/plumbline-dev-endpoint"
FILE_MODEL = ("s3://assets/file.tar.gz", "s3://assets/file-baseline")


class DiedError(Exception):
    """The function was killed."""


def environment() -> dict[str, str]:
    """Return the function's variables as the stack sets them."""
    return {
        "AWS_REGION": "eu-central-1",
        LoopVariable.ENVIRONMENT: "dev",
        LoopVariable.ENDPOINT_NAME: "plumbline-dev",
        LoopVariable.TOPIC_ARN: "arn:aws:sns:eu-central-1:000000000000:alerts",
        LoopVariable.STATE_TABLE: "state",
        LoopVariable.ARTIFACTS_BUCKET: "artifacts",
        LoopVariable.MODEL_PACKAGE_GROUP: GROUP,
        LoopVariable.SERVING_ROLE_ARN: ROLE,
        LoopVariable.TRAFFIC: "canary",
        LoopVariable.CANARY_PERCENT: "50",
        LoopVariable.WAIT_SECONDS: "300",
        LoopVariable.ROLLBACK_ALARM_NAMES: "plumbline-dev-endpoint-5xx,plumbline-dev-endpoint-latency",
    }


SETTINGS = PromotionSettings.from_environment(environment())


def arn(number: int) -> str:
    return f"arn:aws:sagemaker:eu-central-1:000000000000:model-package/{GROUP}/{number}"


def package(number: int, approval: str) -> dict[str, Any]:
    """Return DescribeModelPackage of a version as the pipeline registers it."""
    folder = f"s3://artifacts/retraining/run-{number}"
    return {
        "ModelPackageVersion": number,
        "ModelPackageArn": arn(number),
        "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": "xgboost:3.0-5",
                    "ImageDigest": "sha256:0",
                    "ModelDataUrl": f"s3://artifacts/models/{number}/model.tar.gz",
                    "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
                }
            ]
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": f"{folder}/evaluation/evaluation.json"}}},
        "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": {"S3Uri": f"{folder}/baseline/baseline.json"}}},
        "CustomerMetadataProperties": {"cause": "plumbline-dev-drift: it drifts"},
    }


def model_of(number: int) -> tuple[str, str]:
    """Return artifact and baseline of a version."""
    return f"s3://artifacts/models/{number}/model.tar.gz", f"s3://artifacts/retraining/run-{number}/baseline"


@dataclass
class FakeAccount:
    """The account. `calls_left` counts down to the function's death; None: it lives."""

    now: datetime = START
    status: str = "InService"
    config: str = "cfn-config-0"
    pending: str | None = None
    failure: str | None = None
    modified: datetime = START
    configs: dict[str, Request] = field(default_factory=dict)
    created: dict[str, datetime] = field(default_factory=dict)
    models: dict[str, Request] = field(default_factory=dict)
    group: dict[int, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    champions: ChampionHistory | None = None
    parameters: tuple[str, str] = FILE_MODEL
    off: str | None = None
    document: Document = Document(0, None)
    messages: list[LoopMessage] = field(default_factory=list)
    counted: list[RetrainingMetric] = field(default_factory=list)
    updates: list[Request] = field(default_factory=list)
    refuses: str | None = None
    calls_left: int | None = None

    def __post_init__(self) -> None:
        self.deploy_by_cloudformation(*FILE_MODEL)

    # What happens in the account.

    def deploy_by_cloudformation(self, artifact: str, baseline: str) -> None:
        number = len(self.configs)
        self.models[f"cfn-model-{number}"] = {
            "ModelName": f"cfn-model-{number}",
            "PrimaryContainer": {
                "Image": "xgboost:3.0-5",
                "ModelDataUrl": artifact,
                "Environment": {"SAGEMAKER_PROGRAM": "inference.py", ModelVariable.BASELINE.value: baseline},
            },
            "ExecutionRoleArn": ROLE,
        }
        variant = {"VariantName": "AllTraffic", "ModelName": f"cfn-model-{number}", "InitialInstanceCount": 2}
        self.config = f"cfn-config-{number}"
        self.configs[self.config] = {"EndpointConfigName": self.config, "ProductionVariants": [variant]}
        self.touch("InService")

    def touch(self, status: str) -> None:
        self.now += timedelta(seconds=61)
        self.status, self.modified = status, self.now

    def register(self, number: int, approval: str) -> None:
        self.group[number] = package(number, approval)

    def settle(self) -> None:
        """Let the update under way end well."""
        if self.pending:
            self.config, self.pending, self.failure = self.pending, None, None
            self.touch("InService")

    def fail(self, reason: str = "alarm plumbline-dev-endpoint-5xx is in ALARM") -> None:
        """Let the update under way be rolled back."""
        if self.pending:
            self.pending, self.failure = None, reason
            self.touch("InService")

    @property
    def serves(self) -> tuple[str, str]:
        """Artifact and baseline of the model that serves, or served before the update under way."""
        live = self.live(self.config)
        return live.artifact, str(live.baseline)

    @property
    def state(self) -> PromotionState:
        return PromotionState.from_json(self.document.text)

    def send(self, event: object, request: str = "request-1") -> dict[str, Any]:
        """Let the function handle one event."""
        store = StateStore(_DocumentTable(self), "id", PromotionState)
        ports = PromotionPorts(_Endpoint(self), _Registry(self), _History(self), _Notifier(self), store)
        answer = run(event, request, SETTINGS, ports)
        json.dumps(answer)
        return answer

    def alive(self) -> None:
        if self.calls_left is not None:
            if self.calls_left == 0:
                raise DiedError
            self.calls_left -= 1

    def live(self, config: str) -> LiveConfiguration:
        described = self.configs[config]
        return LiveConfiguration(described, self.models[described["ProductionVariants"][0]["ModelName"]])


@dataclass
class _Port:
    account: FakeAccount


class _Endpoint(_Port):
    def view(self) -> EndpointView:
        account = self.account
        account.alive()
        return EndpointView(account.status, account.config, account.modified.isoformat(), account.failure)

    def live(self, config: str) -> LiveConfiguration:
        self.account.alive()
        return self.account.live(config)

    def create(self, model: Request, config: Request) -> datetime:
        account = self.account
        account.alive()
        if account.refuses == "create":
            raise RefusedError("Could not find model data")
        assert account.models.setdefault(model["ModelName"], model) == model
        account.alive()
        name = config["EndpointConfigName"]
        assert account.configs.setdefault(name, config) == config
        return account.created.setdefault(name, account.now)

    def update(self, request: Request) -> None:
        account = self.account
        account.alive()
        if account.refuses == "update":
            raise RefusedError("An alarm does not exist")
        if account.status != "InService":
            raise BusyError("Cannot update in-progress endpoint")
        account.updates.append(request)
        account.pending = request["EndpointConfigName"]
        account.touch("Updating")
        account.alive()  # The function may die before the answer reaches it.

    def unused(self, config: str, model: str) -> UnusedResources:
        self.account.alive()
        ours = f"{SETTINGS.prefix}-"
        return UnusedResources(
            tuple(name for name in self.account.configs if name.startswith(ours) and name != config),
            tuple(name for name in self.account.models if name.startswith(ours) and name != model),
        )

    def delete(self, unused: UnusedResources) -> None:
        for name in unused.configs:
            self.account.alive()
            assert name not in (self.account.config, self.account.pending)
            del self.account.configs[name]
            self.account.created.pop(name, None)
        for name in unused.models:
            self.account.alive()
            del self.account.models[name]


class _Registry(_Port):
    def versions(self) -> tuple[RegistryVersion, ...]:
        self.account.alive()
        return tuple(
            RegistryVersion(number, arn(number), found["ModelApprovalStatus"])
            for number, found in sorted(self.account.group.items())
        )

    def describe(self, arn: str) -> Mapping[str, Any]:
        self.account.alive()
        return self._found(arn)

    def approve(self, arn: str, reason: str) -> None:
        self._set(arn, "Approved", reason)

    def reject(self, arn: str, reason: str) -> None:
        self._set(arn, "Rejected", reason)

    def _set(self, arn: str, approval: str, reason: str) -> None:
        self.account.alive()
        self._found(arn).update(ModelApprovalStatus=approval, ApprovalDescription=reason)

    def _found(self, arn: str) -> dict[str, Any]:
        return self.account.group[int(arn.rpartition("/")[2])]


class _History(_Port):
    def history(self) -> ChampionHistory | None:
        self.account.alive()
        return self.account.champions

    def write_history(self, history: ChampionHistory) -> None:
        self.account.alive()
        self.account.champions = ChampionHistory.from_json(history.to_json())

    def text(self, uri: str) -> str:
        self.account.alive()
        if uri not in self.account.files:
            raise UnreadableError("NoSuchKey")
        return self.account.files[uri]

    def write_champion(self, target: PromotionTarget) -> None:
        self.account.alive()
        self.account.parameters = (target.artifact, target.baseline)

    def switch_off(self) -> PromotionReason | None:
        self.account.alive()
        return PromotionReason(PromotionReasonCode.SWITCHED_OFF, self.account.off) if self.account.off else None


class _Notifier(_Port):
    def publish(self, message: LoopMessage) -> None:
        self.account.alive()
        self.account.messages.append(message)

    def put_metric(self, metric: RetrainingMetric) -> None:
        self.account.alive()
        self.account.counted.append(metric)


class _DocumentTable(_Port):
    def read(self, document_id: str) -> Document:
        self.account.alive()
        return self.account.document

    def write(self, document_id: str, text: str, expected: int) -> None:
        self.account.alive()
        if self.account.document.revision != expected:
            raise ConcurrentWriteError(document_id)
        self.account.document = replace(self.account.document, revision=expected + 1, text=text)

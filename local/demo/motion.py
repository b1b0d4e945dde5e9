"""The retraining loop's own actions between two moments of the clock: waited for in real time, shown line by line."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plumbline.contract.evaluation import Evaluation
from plumbline.contract.retraining import Obstacle, RetrainingFile
from plumbline.environment.deployed import Deployed
from plumbline.local.aws.objects import S3Location
from plumbline.local.demo.first_model import POLL_SECONDS
from plumbline.local.demo.inbox import Inbox
from plumbline.local.demo.summary import PromotedVersion, PromotionOutcome, RetrainingRun
from plumbline.local.embedded import EmbeddedAws

DECISION_SECONDS = 60
PIPELINE_SECONDS = 300
PROMOTION_SECONDS = 120
BAKING_POLL_SECONDS = 0.15
"""Real time between requests while two fleets answer: the clock runs with the requests."""
APPROVED, REJECTED = "Approved", "Rejected"
"""ModelApprovalStatus of a version that may serve, and of one that may not."""
_UNDER_WAY = ("Executing", "Stopping")


class MotionError(Exception):
    """Raised when an action of the loop does not end in time."""


@dataclass(frozen=True)
class WatchedNames:
    """What is watched: the environment, physical names and the topic's ARN."""

    environment: str
    endpoint: str
    pipeline: str
    controller: str
    topic: str


@dataclass
class Motion:
    """Waits for decisions, pipeline executions and promotions; `say` gets a line for each thing that happened.

    `hour` is the simulated hour, `labels_are_needed` whether the controller waits for labels, and `is_baking` whether
    two fleets answer: then the clock must move on for anything to happen.
    """

    aws: EmbeddedAws
    names: WatchedNames
    say: Callable[[str], None]
    hour: int = 0
    labels_are_needed: bool = False
    is_baking: bool = False
    retrainings: list[RetrainingRun] = field(default_factory=list)
    promotions: list[PromotedVersion] = field(default_factory=list)
    _inbox: Inbox = field(init=False)
    _n_messages: int = 0
    _n_before: int = 0
    """Messages when the promotion had begun."""
    _n_decisions_shown: int = 0
    _candidate: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Subscribe to the topic."""
        self._inbox = Inbox(self.aws, self.names.topic)

    def n_decisions(self) -> int:
        """Return how often the controller has run to its end."""
        return sum(line.startswith("END RequestId") for line in self._controller_log())

    def _controller_log(self) -> Iterator[str]:
        logs = self.aws.client("logs")
        group = self.aws.client("lambda").get_function_configuration(FunctionName=self.names.controller)
        name = group.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.names.controller}"
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            yield from (event["message"] for event in page["events"])

    def _show_decisions(self) -> None:
        """Show the controller's new decisions against a retraining, as it logs them."""
        found = list(obstacles(self._controller_log()))
        for obstacle, reason in found[self._n_decisions_shown :]:
            self.labels_are_needed |= obstacle is Obstacle.LABELS_NEEDED
            self._show(f"decision: no retraining, {obstacle.replace('_', ' ')}: {reason}")
        self._n_decisions_shown = len(found)

    def await_decisions(self, number: int) -> None:
        """Wait until the controller has run so often, and for what follows.

        Raises
        ------
        MotionError
            If that takes too long.
        """
        self._wait(lambda: self.n_decisions() >= number, DECISION_SECONDS, "the controller's decision")
        self.settle()

    def settle(self) -> None:
        """Wait for what is under way, but not for the clock.

        Raises
        ------
        MotionError
            If that takes too long.
        """
        self._show_messages()
        self._show_decisions()
        known = {one.execution for one in self.retrainings}
        listed = self.aws.client("sagemaker").list_pipeline_executions(PipelineName=self.names.pipeline)
        for summary in reversed(listed["PipelineExecutionSummaries"]):
            if summary["PipelineExecutionArn"] not in known:
                self._follow(summary["PipelineExecutionArn"])
        if self.is_baking:
            self.watch()

    def watch(self) -> None:
        """Wait for the outcome of a promotion once its fleet alone answers."""
        endpoint = self._endpoint()
        if endpoint["EndpointStatus"] != "InService":
            time.sleep(BAKING_POLL_SECONDS)
            return
        self.is_baking = False
        version = self._candidate["ModelPackageVersion"]
        outcome = self._wait(self._outcome, PROMOTION_SECONDS, f"the outcome of version {version}")
        self._await_message(version, self._n_before)
        self.promotions.append(PromotedVersion(version, self.hour, outcome))

    def _outcome(self) -> PromotionOutcome | None:
        """Return the outcome of the promotion by the history of champions and the registry; None: none yet."""
        arn = self._candidate["ModelPackageArn"]
        if self._deployed().history().live.model_package == arn:
            return PromotionOutcome.SERVES
        package = self.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return PromotionOutcome.ROLLED_BACK if package["ModelApprovalStatus"] == REJECTED else None

    def _deployed(self) -> Deployed:
        return Deployed(self.names.environment, self.aws.client)

    def _await_message(self, version: int, n_before: int) -> None:
        """Wait until the topic has published more than `n_before` messages."""

        def has_come() -> bool:
            self._show_messages()
            return self._n_messages > n_before

        self._wait(has_come, PROMOTION_SECONDS, f"the message on version {version}")

    def _follow(self, execution: str) -> None:
        """Show the steps of an execution, and wait for the decision on its challenger."""
        sagemaker = self.aws.client("sagemaker")
        seen: dict[str, str] = {}
        n_before = self._n_messages

        def ended() -> Mapping[str, Any] | None:
            described: Mapping[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            for line in self._new_steps(execution, seen):
                self._show(line)
            return None if described["PipelineExecutionStatus"] in _UNDER_WAY else described

        described = self._wait(ended, PIPELINE_SECONDS, f"the end of {execution}")
        status, why = described["PipelineExecutionStatus"], described.get("FailureReason", "")
        run = RetrainingRun(execution, self.hour, status)
        if status == "Succeeded":
            run = self._judged(run, n_before)
        else:
            self._show(f"pipeline {status.lower()}: {why}")
        self.retrainings.append(run)
        self._show_messages()

    def _new_steps(self, execution: str, seen: dict[str, str]) -> Iterator[str]:
        pages = self.aws.client("sagemaker").list_pipeline_execution_steps(
            PipelineExecutionArn=execution, SortOrder="Ascending"
        )
        for step in pages["PipelineExecutionSteps"]:
            name, status = step["StepName"], step["StepStatus"]
            if status not in ("Starting", "Executing") and name not in seen:
                seen[name] = status
                outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
                yield f"pipeline step {name}: {f'{outcome}, ' if outcome else ''}{status.lower()}" + (
                    f": {step['FailureReason']}" if step.get("FailureReason") else ""
                )

    def _judged(self, run: RetrainingRun, n_before: int) -> RetrainingRun:
        """Show the gate's table, and wait until the challenger's promotion has begun or its message has come."""
        package = self._package(run.execution)
        version = int(package["ModelPackageVersion"])
        evaluation = self._evaluation(package)
        if package["ModelApprovalStatus"] == APPROVED:
            self._candidate = package
            self._wait(self._has_begun, PROMOTION_SECONDS, f"the promotion of version {version}")
            self._show_messages()
            self._n_before = self._n_messages
            if self.is_baking:
                self._show(f"version {version} answers together with the champion while traffic flows")
        else:
            self._await_message(version, n_before)
        return RetrainingRun(
            run.execution,
            run.started_in_hour,
            run.status,
            version=version,
            approval=package["ModelApprovalStatus"],
            champion=evaluation.holdout.champion,
            challenger=evaluation.holdout.challenger,
        )

    def _package(self, execution: str) -> Mapping[str, Any]:
        sagemaker = self.aws.client("sagemaker")
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
        arns = (step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in steps)
        arn = next(filter(None, arns), None)
        if arn is None:
            raise MotionError(f"{execution} must have registered its challenger, got no step that did")
        package: Mapping[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
        return package

    def _evaluation(self, package: Mapping[str, Any]) -> Evaluation:
        uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        table = self._object(f"{uri.rpartition('/')[0]}/{RetrainingFile.EVALUATION_TEXT}")
        for line in filter(None, map(str.rstrip, table.splitlines())):
            self.say(f"        {line}")
        return Evaluation.from_json(self._object(uri))

    def _object(self, uri: str) -> str:
        place = S3Location.parse(uri)
        body: bytes = self.aws.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        return body.decode()

    def _has_begun(self) -> bool:
        """Return whether the new fleet answers, or the promotion is over already."""
        pending = self._endpoint().get("PendingDeploymentSummary") or {}
        statuses = {
            status["Status"]
            for variant in pending.get("ProductionVariants", ())
            for status in variant.get("VariantStatus", ())
        }
        self.is_baking = "Baking" in statuses
        return self.is_baking or self._outcome() is not None

    def _endpoint(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.aws.client("sagemaker").describe_endpoint(EndpointName=self.names.endpoint)
        return found

    def _show_messages(self) -> None:
        for mail in self._inbox.read():
            if not mail.is_alarm:
                self._n_messages += 1
                self._show(f"message: {mail.subject}")

    def _show(self, text: str) -> None:
        self.say(f"{self.aws.now():%H:%M} {text}")

    def _wait(self, check: "Callable[[], Any]", seconds: float, what: str) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := check()):
            if time.monotonic() > deadline:
                raise MotionError(f"{what} did not come within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return found


def obstacles(log: Iterable[str]) -> Iterator[tuple[Obstacle, str]]:
    """Yield why the controller started no retraining, by its log: the obstacle, and its explanation for people."""
    for line in log:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("obstacle"):
            yield Obstacle(entry["obstacle"]), entry["reason"]

"""What the loop sets in motion between two moments of the clock, waited for in real time and told line by line."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.evaluation import Evaluation
from contract.retraining import Obstacle, RetrainingFile
from local.aws.objects import S3Location
from local.demo.first_model import POLL_SECONDS
from local.demo.inbox import Inbox, Message
from local.demo.summary import Promotion, Retraining
from local.embedded import EmbeddedAws

DECISION_SECONDS = 60
PIPELINE_SECONDS = 300
PROMOTION_SECONDS = 120
BAKING_POLL_SECONDS = 0.15
"""Real time between requests while two fleets answer: the clock runs with the requests."""
APPROVED = "Approved"
"""ModelApprovalStatus of a version that may serve."""
_UNDER_WAY = ("Executing", "Stopping")
_DECIDED = "Decided: "


class MotionError(Exception):
    """Raised when something that was set in motion does not come to its end in time."""


@dataclass(frozen=True)
class Names:
    """What is watched: physical names and the topic's ARN."""

    endpoint: str
    pipeline: str
    controller: str
    topic: str


@dataclass
class Motion:
    """Waits for decisions, pipeline executions and promotions; `say` gets a line for each thing that happened.

    `hour` is that of the story, `labels_are_wanted` whether the controller asked for labels, and `is_baking` whether
    two fleets answer: then the clock must move on for anything to happen.
    """

    aws: EmbeddedAws
    names: Names
    say: Callable[[str], None]
    hour: int = 0
    labels_are_wanted: bool = False
    is_baking: bool = False
    retrainings: list[Retraining] = field(default_factory=list)
    promotions: list[Promotion] = field(default_factory=list)
    _inbox: Inbox = field(init=False)
    _subjects: list[str] = field(default_factory=list)
    _version: int = 0

    def __post_init__(self) -> None:
        """Hear the topic from now on."""
        self._inbox = Inbox(self.aws, self.names.topic)

    def n_decisions(self) -> int:
        """Return how often the controller has run to its end."""
        logs = self.aws.client("logs")
        group = self.aws.client("lambda").get_function_configuration(FunctionName=self.names.controller)
        name = group.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.names.controller}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        return sum(event["message"].startswith("END RequestId") for page in pages for event in page["events"])

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
        self._hear()
        known = {one.execution for one in self.retrainings}
        listed = self.aws.client("sagemaker").list_pipeline_executions(PipelineName=self.names.pipeline)
        for summary in reversed(listed["PipelineExecutionSummaries"]):
            if summary["PipelineExecutionArn"] not in known:
                self._follow(summary["PipelineExecutionArn"])
        if self.is_baking:
            self.watch()

    def watch(self) -> None:
        """Look whether the two fleets have become one, and wait for what the promotion function says then."""
        endpoint = self._endpoint()
        if endpoint["EndpointStatus"] != "InService":
            time.sleep(BAKING_POLL_SECONDS)
            return
        self.is_baking = False
        told = self._wait(self._outcome, PROMOTION_SECONDS, f"what became of version {self._version}")
        self.promotions.append(Promotion(self._version, self.hour, told))

    def _outcome(self) -> str | None:
        """Return what the topic was told of the version that was to serve; None: nothing yet."""
        self._hear()
        about = [subject for subject in self._subjects if f"version {self._version} " in f"{subject} "]
        return next((subject for subject in about if subject.endswith("serves") or "rolled back" in subject), None)

    def _follow(self, execution: str) -> None:
        """Tell the steps of an execution, and wait for what becomes of its challenger."""
        sagemaker = self.aws.client("sagemaker")
        seen: dict[str, str] = {}

        def ended() -> Mapping[str, Any] | None:
            described: Mapping[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            for line in self._new_steps(execution, seen):
                self._tell(line)
            return None if described["PipelineExecutionStatus"] in _UNDER_WAY else described

        described = self._wait(ended, PIPELINE_SECONDS, f"the end of {execution}")
        status, why = described["PipelineExecutionStatus"], described.get("FailureReason", "")
        run = Retraining(execution, self.hour, status)
        if status == "Succeeded":
            run = self._judged(run)
        else:
            self._tell(f"pipeline {status.lower()}: {why}")
        self.retrainings.append(run)
        self._hear()

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

    def _judged(self, run: Retraining) -> Retraining:
        """Tell the gate's table of the run's challenger, and wait until it is known what becomes of it."""
        package = self._package(run.execution)
        version = int(package["ModelPackageVersion"])
        evaluation = self._evaluation(package)
        approved = package["ModelApprovalStatus"] == APPROVED
        if approved:
            self._version = version
            self._wait(self._has_begun, PROMOTION_SECONDS, f"the promotion of version {version}")
            if self.is_baking:
                self._tell(f"version {version} answers beside the champion while traffic flows")
        else:
            self._wait(lambda: self._told_of(version), PROMOTION_SECONDS, f"news of version {version}")
        return Retraining(
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

    def _told_of(self, version: int) -> bool:
        self._hear()
        return any(f"challenger {version} " in subject for subject in self._subjects)

    def _hear(self) -> None:
        for message in self._inbox.read():
            if message.is_alarm:
                continue
            self._subjects.append(message.subject)
            self.labels_are_wanted |= message.obstacle == Obstacle.LABELS_NEEDED
            self._tell(f"told: {message.subject}{decision(message)}")

    def _tell(self, text: str) -> None:
        self.say(f"{self.aws.now():%H:%M} {text}")

    def _wait(self, check: "Callable[[], Any]", seconds: float, what: str) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := check()):
            if time.monotonic() > deadline:
                raise MotionError(f"{what} did not come within {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return found


def decision(message: Message) -> str:
    """Return why nothing was started, which the subject does not say."""
    decided = (line for line in message.text.splitlines() if line.startswith(_DECIDED))
    return "".join(f": {why}" for line in decided if (why := line.partition("): ")[2]))

"""The controller's messages to people: what happened, what was decided and why, what they can do."""

from collections.abc import Sequence

from plumbline.contract.retraining import MessageKind, Obstacle
from plumbline.functions.retraining.decision import FoundObstacle
from plumbline.functions.retraining.state import ReservedRun
from plumbline.functions.retraining.triggers import RetrainingTrigger
from plumbline.functions.shared.notifications import LoopMessage, paragraphs

_START_NOW = 'To start one now: plumbline retrain --environment {environment} --reason "..." --force'
_REMEDIES = {
    Obstacle.ALREADY_STARTED: "Nothing is to be done.",
    Obstacle.IN_PROGRESS: "Nothing is to be done: a message follows when the run ends.",
    Obstacle.SWITCHED_OFF: "To switch retraining on: plumbline retrain --environment {environment} --on",
    Obstacle.SWITCH_UNKNOWN: (
        "To set the switch: plumbline retrain --environment {environment} --on (or --off). If it is set, the "
        "function's role must be allowed to read it; its log has the error."
    ),
    Obstacle.CHAMPION_UNKNOWN: "Deploy the foundation stack again: it records which model serves.",
    Obstacle.CHAMPION_CHANGING: (
        "The hourly reconciliation decides again when the endpoint is in service. To see what serves: plumbline "
        "champion --environment {environment}"
    ),
    Obstacle.COOLDOWN: (
        "The hourly reconciliation starts one after the cool-down if an alarm still is in ALARM, and after a rejection "
        "only if new labelled rows came. " + _START_NOW
    ),
    Obstacle.DAILY_CAP: (
        "The hourly reconciliation starts one as soon as the cap allows if an alarm still is in ALARM. " + _START_NOW
    ),
    Obstacle.LABELS_NEEDED: (
        "Upload labels of recent requests: plumbline labels --environment {environment} --labels FILE. The monitor "
        "joins them with the requests at its next run, and the hourly reconciliation decides again if an alarm still "
        "is in ALARM."
    ),
    Obstacle.SAME_EVIDENCE: (
        "What would change it: the new labelled rows that are wanted; any new labelled row together with an alarm of "
        "another kind; another champion; other settings of training or gate. New training data the controller does not "
        "see. " + _START_NOW
    ),
    Obstacle.START_REFUSED: (
        "Repair what the error names (the pipeline, a quota, or a permission), or deploy the monitoring stack again."
    ),
}


class RetrainingMessages:
    """Makes the messages about one environment's endpoint."""

    def __init__(self, environment: str, endpoint: str) -> None:
        self._environment = environment
        self._endpoint = endpoint

    def started(self, run: ReservedRun, execution: str, overridden: Sequence[str]) -> LoopMessage:
        """Return the message of a started execution."""
        return LoopMessage(
            MessageKind.RETRAINING_STARTED,
            f"Retraining started: {self._endpoint}",
            paragraphs(
                f"What happened: {run.cause}",
                f"Decided: a retraining of {self._endpoint} was started.",
                *(f"Overridden, as requested: {text}." for text in overridden),
                f"It trains on labelled requests from {run.fresh_from} until {run.fresh_until}, and is compared with "
                f"the champion, {run.champion}. A message follows with the result.",
                f"Execution: {execution}",
                f"To stop it: aws sagemaker stop-pipeline-execution --pipeline-execution-arn {execution}",
                f"To start no more: plumbline retrain --environment {self._environment} --off",
            ),
        )

    def skipped(self, trigger: RetrainingTrigger, found: FoundObstacle) -> LoopMessage:
        """Return the message of a trigger that started nothing."""
        title = found.obstacle.replace("_", " ")
        return LoopMessage(
            MessageKind.RETRAINING_SKIPPED,
            f"Retraining not started, {title}: {self._endpoint}",
            paragraphs(
                f"What happened: {trigger.cause}",
                f"Decided: no retraining of {self._endpoint} was started ({title}): {found.text}.",
                "The champion goes on serving.",
                _REMEDIES[found.obstacle].format(environment=self._environment),
            ),
            found.obstacle,
        )

    def not_started(self, run: ReservedRun, error: str) -> LoopMessage:
        """Return the message of an execution that SageMaker refuses to start."""
        return LoopMessage(
            MessageKind.RETRAINING_NOT_STARTED,
            f"Retraining could not be started: {self._endpoint}",
            paragraphs(
                f"What happened: {run.cause}",
                f"Decided: a retraining of {self._endpoint}, and SageMaker refuses to start it: {error}.",
                "The champion goes on serving. The start is tried again every hour, and nothing else is started until "
                "it succeeds.",
                _REMEDIES[Obstacle.START_REFUSED],
            ),
            Obstacle.START_REFUSED,
        )

    def failed(self, run: ReservedRun, status: str, reason: str | None) -> LoopMessage:
        """Return the message of an execution that ended without a verdict on its challenger."""
        return LoopMessage(
            MessageKind.RETRAINING_FAILED,
            f"Retraining {status.lower()}: {self._endpoint}",
            paragraphs(
                f"What happened: {ended(run, status, reason)}.",
                f"Its cause: {run.cause}",
                "The champion goes on serving.",
                "To see what failed: aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn "
                f"{run.execution}",
                "The hourly reconciliation starts another after the cool-down if an alarm still is in ALARM. "
                + _START_NOW.format(environment=self._environment),
            ),
        )


def ended(run: ReservedRun, status: str, reason: str | None) -> str:
    """Return how an execution ended, in one line."""
    return f"the retraining {run.display_name} ended as {status}{f': {reason}' if reason else ''}"

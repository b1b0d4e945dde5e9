"""Messages for a person who is woken by them: what happened, what was decided and why, what can be done."""

from collections.abc import Sequence

from retraining.decision import Obstacle, Refusal
from retraining.state import Run
from retraining.triggers import Trigger

_REMEDIES = {
    Obstacle.ALREADY_STARTED: "Nothing is to be done.",
    Obstacle.IN_PROGRESS: "Nothing is to be done: what comes of it is told here.",
    Obstacle.SWITCHED_OFF: "To switch retraining on: plumbline retrain --environment {environment} --on",
    Obstacle.SWITCH_UNKNOWN: (
        "To set the switch: plumbline retrain --environment {environment} --on (or --off). If it is set, the "
        "function's role must be allowed to read it; its log says what failed."
    ),
    Obstacle.CHAMPION_UNKNOWN: "Deploy the foundation stack again: it records what model serves.",
    Obstacle.CHANGING: (
        "The hourly look decides again when the endpoint has settled. To see what serves: plumbline champion "
        "--environment {environment}"
    ),
    Obstacle.COOLDOWN: (
        "The hourly look starts one after the cool-down if an alarm still is on. To start one now: plumbline retrain "
        '--environment {environment} --reason "..." --force'
    ),
    Obstacle.DAILY_CAP: (
        "The hourly look starts one as soon as the cap allows if an alarm still is on. To start one now: plumbline "
        'retrain --environment {environment} --reason "..." --force'
    ),
    Obstacle.LABELS_NEEDED: (
        "Upload labels of recent requests: plumbline labels --environment {environment} --labels FILE. The monitor "
        "joins them with the requests at its next run, and the hourly look decides again if an alarm still is on."
    ),
}


class Words:
    """Subjects and texts about one environment's endpoint."""

    def __init__(self, environment: str, endpoint: str) -> None:
        self._environment = environment
        self._endpoint = endpoint

    def started(self, run: Run, execution: str, overridden: Sequence[str]) -> tuple[str, str]:
        """Tell that an execution was started."""
        lines = [
            f"What happened: {run.cause}",
            f"Decided: a retraining of {self._endpoint} was started.",
            *(f"Overridden, as was asked for: {why}." for why in overridden),
            f"It learns from labelled requests from {run.fresh_from} until {run.fresh_until}, and is compared with the "
            f"live model, {run.champion}. What comes of it is told here.",
            f"Execution: {execution}",
            f"To stop it: aws sagemaker stop-pipeline-execution --pipeline-execution-arn {execution}",
            f"To start no more: plumbline retrain --environment {self._environment} --off",
        ]
        return f"Retraining started: {self._endpoint}", _text(lines)

    def skipped(self, trigger: Trigger, refusal: Refusal) -> tuple[str, str]:
        """Tell that nothing was started, and why."""
        lines = [
            f"What happened: {trigger.cause}",
            f"Decided: no retraining of {self._endpoint} was started ({refusal.obstacle}): {refusal.why}.",
            "The live model goes on serving.",
            _REMEDIES[refusal.obstacle].format(environment=self._environment),
        ]
        return f"Retraining not started, {refusal.obstacle}: {self._endpoint}", _text(lines)

    def not_started(self, run: Run, why: str) -> tuple[str, str]:
        """Tell that SageMaker refused to start an execution."""
        lines = [
            f"What happened: {run.cause}",
            f"Decided: a retraining of {self._endpoint}, and SageMaker refuses to start it: {why}.",
            "The live model goes on serving. The start is tried again every hour, and nothing else is started until it "
            "succeeds.",
            "Repair what the message names (the pipeline, a quota, or a permission), or deploy the monitoring stack "
            "again.",
        ]
        return f"Retraining could not be started: {self._endpoint}", _text(lines)

    def failed(self, run: Run, status: str, why: str) -> tuple[str, str]:
        """Tell that an execution ended without a verdict on its challenger."""
        lines = [
            f"What happened: the retraining {run.display_name} ended as {status}{f': {why}' if why else ''}.",
            f"It was started because: {run.cause}",
            "The live model goes on serving.",
            f"To see what failed: aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {run.execution}",
            "The hourly look starts another after the cool-down if an alarm still is on. To start one now: plumbline "
            f'retrain --environment {self._environment} --reason "..." --force',
        ]
        return f"Retraining {status.lower()}: {self._endpoint}", _text(lines)


def _text(lines: Sequence[str]) -> str:
    return "\n\n".join(lines) + "\n"

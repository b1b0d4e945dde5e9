"""Entry point of the retraining Lambda: parse, decide, act once, say what was decided."""

import functools
import json
import os
from dataclasses import asdict
from typing import Any, Protocol

from retraining.alarm_event import Occurrence, parse
from retraining.decision import Action, Decision, Job, admit, already_started, settle
from retraining.settings import Settings
from retraining.training_job import JobExistsError, TrainingJobs, training_request


class Jobs(Protocol):
    """What the decision needs of SageMaker and S3; `TrainingJobs` is the real one."""

    def listed(self, prefix: str) -> tuple[Job, ...]:
        """Return the jobs of the prefix."""

    def holds_objects(self, uri: str) -> bool:
        """Return whether there is data below the URI."""

    def create(self, request: dict[str, Any]) -> None:
        """Start a job, or raise `JobExistsError`."""


def handler(event: object, context: Any) -> dict[str, Any]:
    """Start at most one training job for each occurrence in the event, and log one JSON line for each.

    What is none of the function's business is skipped with a reason. A fault of AWS or of the settings is raised,
    so that Lambda retries and the dead-letter queue gets the event.
    """
    settings = Settings.from_environment(os.environ)
    jobs = _training_jobs(settings.region)
    decisions = [run(occurrence, settings, jobs) for occurrence in parse(event, context.aws_request_id)]
    return {"decisions": [asdict(decision) for decision in decisions]}


def run(occurrence: Occurrence, settings: Settings, jobs: Jobs) -> Decision:
    """Decide on one occurrence, start the job if that is the decision, and log it."""
    decision = admit(occurrence, settings.rule)
    if decision.action is Action.START:
        decision = settle(decision, occurrence, settings.rule, jobs.listed(settings.job_prefix))
    if decision.action is Action.START and decision.job_name:
        decision = _start(decision, decision.job_name, settings, jobs)
    print(json.dumps(asdict(decision)), flush=True)
    return decision


def _start(decision: Decision, job_name: str, settings: Settings, jobs: Jobs) -> Decision:
    fresh = settings.fresh_s3_uri is not None and jobs.holds_objects(settings.fresh_s3_uri)
    try:
        jobs.create(training_request(settings, job_name, with_fresh_data=fresh))
    except JobExistsError:
        # Two deliveries of one event ran side by side: the name is the lock.
        return already_started(decision)
    return decision


@functools.cache
def _training_jobs(region: str) -> TrainingJobs:
    """Keep the clients between invocations of a warm function."""
    return TrainingJobs(region)

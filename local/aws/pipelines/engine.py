"""Runs executions of pipelines: a thread for each, which starts the steps that can run, and one for each step."""

import functools
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from plumbline.local.aws.pipelines.definition import CONDITION, SUCCEEDED, Definition, Step
from plumbline.local.aws.pipelines.executions import STARTING, PipelineExecutions
from plumbline.local.aws.pipelines.steps import PipelineRun, StepError, StepStopped, perform
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import MAX_REASON

_log = logging.getLogger(__name__)

_FAILED: Final = "Step failure: One or multiple steps failed."


class PipelineEngine:
    """Runs the executions that the control plane starts.

    Parameters
    ----------
    executions
        Where their progress is reported.
    client
        Takes a service and a role's ARN, and returns a client that acts as the role.
    """

    def __init__(self, plane: ControlPlane, executions: PipelineExecutions, client: Callable[[str, str], Any]) -> None:
        self._plane = plane
        self._executions = executions
        self._client = client
        self._runs: dict[str, PipelineRun] = {}
        self._closing = threading.Event()
        plane.hooks["PipelineExecution.start"] = self._start
        plane.hooks["PipelineExecution.stop"] = lambda record: self._runs[record["PipelineExecutionArn"]].stop.set()

    def stop(self) -> None:
        """Start no further step."""
        self._closing.set()

    def _start(self, record: dict[str, Any]) -> None:
        role = record["RoleArn"]
        definition = Definition.parse(record["PipelineDefinition"])
        run = PipelineRun(dict(record), definition, lambda service: self._client(service, role), self._plane.clock)
        self._runs[run.arn] = run
        execution = _Execution(run, self._executions, self._closing)
        threading.Thread(target=self._run, args=(execution,), name=f"pipeline-{run.identity}", daemon=True).start()

    def _run(self, execution: "_Execution") -> None:
        failure = execution.run_steps()
        run = execution.run
        # A request to stop must not be lost between reading the flag and storing the status.
        with self._plane.lock:
            status = "Failed" if failure is not None else "Stopped" if run.stop.is_set() else SUCCEEDED
            reason = failure[:MAX_REASON] if failure is not None else None
            members = {"FailureReason": reason, "PipelineExecutionFailureReason": reason}
            self._executions.change(run.arn, status, **members)


@dataclass(frozen=True)
class _End:
    """How a step ended: the description of its result, or why the execution fails (None when it does not)."""

    step: Step
    status: str
    result: Mapping[str, Any] | None = None
    failure: str | None = None


class _Execution:
    """The steps of one execution."""

    def __init__(self, run: PipelineRun, executions: PipelineExecutions, closing: threading.Event) -> None:
        self.run = run
        self._executions = executions
        self._closing = closing
        self._statuses: dict[str, str] = {}
        self._outcomes: dict[str, bool] = {}
        self._ends: queue.SimpleQueue[_End] = queue.SimpleQueue()

    def run_steps(self) -> str | None:
        """Run all steps that can run, and return why the execution failed; None when no step failed."""
        limits = self.run.record.get("ParallelismConfiguration") or {}
        limit = limits.get("MaxParallelExecutionSteps")
        failure: str | None = None
        n_running = 0
        while True:
            if failure is None and not self.run.stop.is_set() and not self._closing.is_set():
                room = None if limit is None else limit - n_running
                for step in self.run.definition.ready(self._statuses, self._outcomes)[:room]:
                    self._begin(step)
                    n_running += 1
            if not n_running:
                return failure
            end = self._ends.get()
            n_running -= 1
            self._note(end)
            failure = end.failure if failure is None else failure

    def _note(self, end: _End) -> None:
        self._statuses[end.step.name] = end.status
        if end.result is not None:
            self.run.results[end.step.name] = end.result
            if end.step.type == CONDITION:
                self._outcomes[end.step.name] = end.result["Outcome"] == "True"

    def _begin(self, step: Step) -> None:
        self._statuses[step.name] = STARTING
        named = {"StepDisplayName": step.display_name or None, "StepDescription": step.description or None}
        self._executions.change_step(self.run.arn, step.name, STARTING, StepType=step.type, AttemptCount=1, **named)
        name = f"step-{self.run.identity}-{step.name}"
        threading.Thread(target=self._perform, args=(step,), name=name, daemon=True).start()

    def _perform(self, step: Step) -> None:
        report = functools.partial(self._executions.change_step, self.run.arn, step.name)
        try:
            end = _End(step, SUCCEEDED, perform(self.run, step, report))
            report(SUCCEEDED)
        except StepStopped:
            end = _End(step, "Stopped")
            report("Stopped")
        except Exception as error:
            known = isinstance(error, StepError)
            reason = str(error) if known else f"InternalServerError: {error!r}"
            _log.error("step %s of %s failed: %s", step.name, self.run.arn, reason, exc_info=not known)
            report("Failed", FailureReason=reason[:MAX_REASON])
            end = _End(step, "Failed", failure=getattr(error, "ends", "") or _FAILED)
        self._ends.put(end)

"""AWS around the controller, in memory: one object that is the document table, the gateway and the notifier."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from plumbline.contract.evaluation import Comparison, Evaluation
from plumbline.contract.retraining import RetrainingMetric, SwitchPosition
from plumbline.functions.retraining.aws import GONE, NotStartedError
from plumbline.functions.retraining.controller import Controller
from plumbline.functions.retraining.decision import ControllerDecision, RetrainingFacts
from plumbline.functions.retraining.events import AlarmChange, RetrainingEvent
from plumbline.functions.retraining.settings import RetrainingPolicy, RetrainingSettings
from plumbline.functions.retraining.state import ReservedRun, RetrainingState
from plumbline.functions.shared.notifications import LoopMessage
from plumbline.functions.shared.state_store import ConcurrentWriteError, Document, StateStore
from tests.unit.functions.retraining.builders import environment

NOW = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
SETTINGS = RetrainingSettings.from_environment(environment())
POLICY = SETTINGS.policy


def _nothing(_: str) -> None:
    pass


@lru_cache(maxsize=8)
def _state(text: str | None) -> RetrainingState:
    return RetrainingState.from_json(text)


@dataclass
class FakeAws:
    """Everything that the controller touches. `step` is called before and after the effect of each call."""

    policy: RetrainingPolicy = POLICY
    now: datetime = NOW
    switch: SwitchPosition | None = SwitchPosition.ON
    champion: str | None = "s3://artifacts/models/1/model.tar.gz"
    live_from: datetime | None = None
    changing_from: str | None = None
    rows: int = 1000
    new: int = 0
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    refusal: str | None = None
    alarms: dict[str, AlarmChange] = field(default_factory=dict)
    document: Document = Document(0, None)
    executions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    runs: list[ReservedRun] = field(default_factory=list)
    messages: list[LoopMessage] = field(default_factory=list)
    counted: list[RetrainingMetric] = field(default_factory=list)
    step: Callable[[str], None] = _nothing

    @property
    def state(self) -> RetrainingState:
        return _state(self.document.text)

    @property
    def subjects(self) -> list[str]:
        return [message.subject for message in self.messages]

    def controller(self) -> Controller:
        settings = replace(SETTINGS, policy=self.policy)
        store = StateStore(self, SETTINGS.endpoint, RetrainingState)
        return Controller(settings, store=store, gateway=self, notifier=self, clock=lambda: self.now)

    def handle(self, event: RetrainingEvent) -> tuple[ControllerDecision, ...]:
        return self.controller().handle(event)

    def end(self, execution: str, status: str) -> None:
        self.executions[execution] = status

    def judge(self, execution: str, *, accepted: bool) -> None:
        """End an execution with the gate's verdict on its challenger."""
        self.end(execution, "Succeeded")
        compared = Comparison("holdout", 900, 0.8, 0.7, -0.1, -0.12, -0.08, 0.01, accepted)
        self.evaluations[execution] = Evaluation(accepted, ("holdout: a loss",), compared, compared, ())

    def read(self, document_id: str) -> Document:
        assert document_id == SETTINGS.endpoint
        self.step("read")
        return self.document

    def write(self, document_id: str, text: str, expected: int) -> None:
        assert document_id == SETTINGS.endpoint
        self.step("write")
        if self.document.revision != expected:
            raise ConcurrentWriteError(document_id)
        self.document = Document(expected + 1, text)
        self.step("written")

    def facts(self, now: datetime) -> RetrainingFacts:
        self.step("facts")
        return RetrainingFacts(now, self.switch, self.champion, self.live_from, self.changing_from)

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        self.step("alarms")
        return tuple(self.alarms.values())

    def fresh_rows(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        assert fresh_from < fresh_until
        self.step("rows")
        return min(self.rows, enough)

    def new_rows(self, execution: str, fresh_from: str, fresh_until: str, enough: int) -> int:
        assert execution in self.executions
        assert fresh_from < fresh_until
        self.step("new rows")
        return min(self.new, enough)

    def evaluation(self, execution: str) -> Evaluation | None:
        self.step("evaluation")
        return self.evaluations.get(execution)

    def start(self, run: ReservedRun) -> str:
        self.step("start")
        if self.refusal:
            raise NotStartedError(self.refusal)
        if run.token not in self.tokens:
            self.creates(run)
            self.runs.append(run)
            self.tokens[run.token] = f"arn:execution/{len(self.runs)}"
            self.executions[self.tokens[run.token]] = "Executing"
        self.step("started")
        return self.tokens[run.token]

    def creates(self, run: ReservedRun) -> None:
        """Is called before there is a new execution."""

    def status(self, execution: str) -> tuple[str, str | None]:
        self.step("status")
        status = self.executions.get(execution, GONE)
        return status, "the step Train failed" if status == "Failed" else None

    def publish(self, message: LoopMessage) -> None:
        self.step("publish")
        self.messages.append(message)
        self.step("published")

    def put_metric(self, metric: RetrainingMetric) -> None:
        self.step("metric")
        self.counted.append(metric)

"""AWS around the controller, in memory: one object that is the document store, the world and the voice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from retraining.controller import Controller
from retraining.decision import Facts, Rule
from retraining.occurrences import AlarmChange, Occurrence
from retraining.outcome import Outcome
from retraining.settings import Settings
from retraining.state import Run, State
from retraining.surroundings import GONE, NotStartedError
from retraining.words import Words
from shared.documents import ChangedMeanwhileError, Document

from contract.retraining import RetrainingMetric, SwitchPosition
from tests.unit.retraining.builders import environment

NOW = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
SETTINGS = Settings.from_environment(environment())
RULE = SETTINGS.rule


def _nothing(_: str) -> None:
    pass


@lru_cache(maxsize=8)
def _state(text: str | None) -> State:
    return State.from_json(text)


@dataclass
class FakeAws:
    """Everything that the controller touches. `step` is called before and after the effect of each call."""

    rule: Rule = RULE
    now: datetime = NOW
    switch: SwitchPosition | None = SwitchPosition.ON
    champion: str | None = "s3://artifacts/models/1/model.tar.gz"
    live_from: datetime | None = None
    changing_from: str | None = None
    rows: int = 1000
    refusal: str | None = None
    alarms: dict[str, AlarmChange] = field(default_factory=dict)
    document: Document = Document(0, None)
    executions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    counted: list[RetrainingMetric] = field(default_factory=list)
    step: Callable[[str], None] = _nothing

    @property
    def state(self) -> State:
        return _state(self.document.text)

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.messages]

    def controller(self) -> Controller:
        words = Words(SETTINGS.environment, RULE.endpoint)
        return Controller(self.rule, words, store=self, world=self, voice=self, clock=lambda: self.now)

    def handle(self, occurrence: Occurrence) -> tuple[Outcome, ...]:
        return self.controller().handle(occurrence)

    def end(self, execution: str, status: str) -> None:
        self.executions[execution] = status

    def read(self, document_id: str) -> Document:
        assert document_id == RULE.endpoint
        self.step("read")
        return self.document

    def write(self, document_id: str, text: str, expected: int) -> None:
        assert document_id == RULE.endpoint
        self.step("write")
        if self.document.revision != expected:
            raise ChangedMeanwhileError(document_id)
        self.document = Document(expected + 1, text)
        self.step("written")

    def facts(self, now: datetime) -> Facts:
        self.step("facts")
        return Facts(now, self.switch, self.champion, self.live_from, self.changing_from)

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        self.step("alarms")
        return tuple(self.alarms.values())

    def fresh_rows(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        assert fresh_from < fresh_until
        self.step("rows")
        return min(self.rows, enough)

    def start(self, run: Run) -> str:
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

    def creates(self, run: Run) -> None:
        """Is called before there is a new execution."""

    def status(self, execution: str) -> tuple[str, str]:
        self.step("status")
        status = self.executions.get(execution, GONE)
        return status, "the step Train failed" if status == "Failed" else ""

    def tell(self, subject: str, text: str) -> None:
        self.step("tell")
        self.messages.append((subject, text))
        self.step("told")

    def count(self, metric: RetrainingMetric) -> None:
        self.step("count")
        self.counted.append(metric)

import json
from types import SimpleNamespace

import pytest
from retraining import handler as entry
from retraining.alarm_event import parse
from retraining.decision import Action
from retraining.handler import run
from retraining.settings import Settings, SettingsError

from contract.names import RetrainingVariable
from tests.unit.retraining.builders import FakeJobs, alarm_message, environment, sns_event

SETTINGS = Settings.from_environment(environment())
CONTEXT = SimpleNamespace(aws_request_id="request-1")


def deliver(jobs: FakeJobs, event: object) -> Action:
    (occurrence,) = parse(event, "request-1")
    return run(occurrence, SETTINGS, jobs).action


def test_drift_alarm_starts_one_job_and_logs_it(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = FakeJobs()
    assert deliver(jobs, sns_event(alarm_message())) is Action.START
    (request,) = jobs.requests
    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert logged["action"] == "start"
    assert logged["job_name"] == request["TrainingJobName"]
    assert logged["alarm"] == "plumbline-dev-drift"
    assert logged["why"].startswith("plumbline-dev-drift: Threshold Crossed")


def test_same_message_twice_starts_one_job() -> None:
    jobs = FakeJobs()
    actions = [deliver(jobs, sns_event(alarm_message())) for _ in range(3)]
    assert actions == [Action.START, Action.ALREADY_STARTED, Action.ALREADY_STARTED]
    assert len(jobs.requests) == 1


def test_two_deliveries_side_by_side_start_one_job() -> None:
    class BlindJobs(FakeJobs):
        """The other delivery creates its job after this one listed them."""

        def listed(self, prefix: str) -> tuple[()]:
            return ()

    jobs = BlindJobs()
    assert deliver(jobs, sns_event(alarm_message())) is Action.START
    assert deliver(jobs, sns_event(alarm_message())) is Action.ALREADY_STARTED
    assert len(jobs.requests) == 1


@pytest.mark.parametrize(
    "event",
    [sns_event(alarm_message(NewStateValue="OK")), sns_event(alarm_message(AlarmName="other")), sns_event("hi")],
)
def test_what_asks_for_no_training_is_logged_and_touches_nothing(
    event: object, capsys: pytest.CaptureFixture[str]
) -> None:
    class Untouchable(FakeJobs):
        def listed(self, prefix: str) -> tuple[()]:
            raise AssertionError("no call to AWS is needed")

    assert deliver(Untouchable(), event) is Action.SKIPPED
    assert json.loads(capsys.readouterr().out)["action"] == "skipped"


def test_fresh_channel_is_passed_only_when_it_has_objects() -> None:
    without, with_fresh = FakeJobs(), FakeJobs(fresh_objects=True)
    deliver(without, sns_event(alarm_message()))
    deliver(with_fresh, sns_event(alarm_message()))
    assert [channel["ChannelName"] for channel in without.requests[0]["InputDataConfig"]] == ["train", "test"]
    assert [channel["ChannelName"] for channel in with_fresh.requests[0]["InputDataConfig"]] == [
        "train",
        "test",
        "fresh",
    ]


def test_fault_of_aws_is_raised_so_that_the_dead_letter_queue_gets_the_event() -> None:
    class Broken(FakeJobs):
        def create(self, request: dict[str, object]) -> None:
            raise ConnectionError("sagemaker does not answer")

    with pytest.raises(ConnectionError):
        deliver(Broken(), sns_event(alarm_message()))


def test_handler_reads_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    result = entry.handler(sns_event(alarm_message(NewStateValue="OK")), CONTEXT)
    (decision,) = result["decisions"]
    assert decision["action"] == "skipped"
    assert json.dumps(result)


def test_handler_without_its_environment_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RetrainingVariable:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="PLUMBLINE_ENVIRONMENT must be set"):
        entry.handler({}, CONTEXT)

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.evaluation import Comparison, Evaluation
from plumbline.contract.prepared import Prepared, PreparedHour, PreparedPart
from plumbline.contract.retraining import SwitchPosition
from plumbline.functions.retraining.aws import GONE, AwsGateway, NotStartedError, start_request
from plumbline.functions.retraining.decision import RetrainingFacts
from plumbline.functions.retraining.events import AlarmChange, AlarmState
from plumbline.functions.retraining.runs import new_run
from plumbline.functions.retraining.triggers import alarm_trigger
from plumbline.functions.shared.aws_client import AwsClients
from tests.unit.functions.retraining.builders import ALARM, QUALITY_ALARM, change
from tests.unit.functions.retraining.fakes import NOW, SETTINGS, FakeAws

SWITCH, ARTIFACT = "/plumbline/dev/retraining", "/plumbline/dev/champion/artifact"
OLD = Champion("s3://a/1.tar.gz", "s3://a/1")
NEW = Champion("s3://a/2.tar.gz", "s3://a/2", None, "2026-02-28T10:20:00Z", "2026-02-28T10:40:00Z")
RUN = new_run(alarm_trigger(change(), NOW), FakeAws().facts(NOW), SETTINGS)


@dataclass
class Account:
    """Stubbed clients by service, and the code that uses them."""

    gateway: AwsGateway
    stubbers: dict[str, Stubber]

    def answers(self, service: str, operation: str, answer: dict[str, Any], expected: dict[str, Any]) -> None:
        self.stubbers[service].add_response(operation, answer, expected)

    def parameters(self, **values: str) -> None:
        names = {"switch": SWITCH, "artifact": ARTIFACT}
        found = [{"Name": names[name], "Value": value} for name, value in values.items()]
        self.answers("ssm", "get_parameters", {"Parameters": found}, {"Names": [SWITCH, ARTIFACT]})

    def history(self, text: str | None) -> None:
        if text is None:
            self.stubbers["s3"].add_client_error("get_object", "NoSuchKey")
            return
        content = text.encode()
        answer = {"Body": StreamingBody(io.BytesIO(content), len(content))}
        self.answers("s3", "get_object", answer, {"Bucket": "artifacts", "Key": "champion/history.json"})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    services = ("ssm", "s3", "cloudwatch", "sagemaker")
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    clients = {service: boto3.client(service, "eu-central-1", **keys) for service in services}
    monkeypatch.setattr(boto3, "client", lambda service, region_name: clients[service])
    stubbers = {service: Stubber(client) for service, client in clients.items()}
    with ExitStack() as stack:
        for stubber in stubbers.values():
            stack.enter_context(stubber)
        yield Account(AwsGateway(SETTINGS, AwsClients(SETTINGS.region)), stubbers)
        for stubber in stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("values", "switch", "champion"),
    [
        ({"switch": "on", "artifact": "s3://a/m"}, SwitchPosition.ON, "s3://a/m"),
        ({"switch": " off\n", "artifact": "s3://a/m"}, SwitchPosition.OFF, "s3://a/m"),
        ({"switch": "ON"}, None, None),
        ({}, None, None),
    ],
)
def test_champion_is_the_parameters_until_there_is_a_history(
    account: Account, values: dict[str, str], switch: SwitchPosition | None, champion: str | None
) -> None:
    account.parameters(**values)
    account.history(None)
    assert account.gateway.facts(NOW) == RetrainingFacts(NOW, switch, champion)


def test_without_trigger_alarms_none_is_asked_for(account: Account) -> None:
    settings = replace(SETTINGS, policy=replace(SETTINGS.policy, alarm_names=()))
    assert AwsGateway(settings, AwsClients(SETTINGS.region)).alarms_on() == ()


def test_champion_and_its_start_are_the_historys(account: Account) -> None:
    account.parameters(switch="on", artifact="s3://a/1.tar.gz")
    account.history(ChampionHistory((OLD, NEW), changing_from="2026-03-01T05:00:00Z").to_json())
    since = datetime(2026, 2, 28, 10, 40, tzinfo=UTC)
    expected = RetrainingFacts(NOW, SwitchPosition.ON, "s3://a/2.tar.gz", since, "2026-03-01T05:00:00Z")
    assert account.gateway.facts(NOW) == expected


def test_first_champion_serves_since_always(account: Account) -> None:
    account.parameters(switch="on")
    account.history(ChampionHistory((OLD,)).to_json())
    assert account.gateway.facts(NOW) == RetrainingFacts(NOW, SwitchPosition.ON, "s3://a/1.tar.gz")


def test_parameters_that_may_not_be_read_leave_the_switch_unknown(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.stubbers["ssm"].add_client_error("get_parameters", "AccessDeniedException")
    account.history(None)
    assert account.gateway.facts(NOW) == RetrainingFacts(NOW, None, None)
    assert "AccessDeniedException" in capsys.readouterr().out


def test_unreadable_history_is_a_fault(account: Account) -> None:
    account.parameters(switch="on", artifact="s3://a/m")
    account.history("{}")
    with pytest.raises(ValueError, match="ChampionHistory must have the keys"):
        account.gateway.facts(NOW)


def test_alarms_that_are_on_are_found(account: Account) -> None:
    moment = datetime(2026, 3, 1, 6, 20, tzinfo=timezone(timedelta(hours=1)))
    alarms = [
        {"AlarmName": ALARM, "StateValue": "ALARM", "StateUpdatedTimestamp": moment, "StateReason": "why"},
        {"AlarmName": QUALITY_ALARM, "StateValue": "OK", "StateUpdatedTimestamp": moment},
    ]
    names = {"AlarmNames": [ALARM, QUALITY_ALARM]}
    account.answers("cloudwatch", "describe_alarms", {"MetricAlarms": alarms}, names)
    expected = AlarmChange(ALARM, AlarmState.ALARM, datetime(2026, 3, 1, 5, 20, tzinfo=UTC), "why")
    assert account.gateway.alarms_on() == (expected,)


def test_start_returns_the_execution(account: Account) -> None:
    answer = {"PipelineExecutionArn": "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/p/execution/abcdefghijkl"}
    account.answers("sagemaker", "start_pipeline_execution", answer, start_request(SETTINGS, RUN))
    assert account.gateway.start(RUN) == answer["PipelineExecutionArn"]


def test_refused_start_carries_sagemakers_error(account: Account) -> None:
    account.stubbers["sagemaker"].add_client_error("start_pipeline_execution", "ResourceLimitExceeded", "no quota")
    with pytest.raises(NotStartedError, match="no quota"):
        account.gateway.start(RUN)


def test_status_comes_with_the_reason(account: Account) -> None:
    answer = {"PipelineExecutionStatus": "Failed", "FailureReason": "Step failure"}
    arn = {"PipelineExecutionArn": "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/p/execution/abcdefghijkl"}
    account.answers("sagemaker", "describe_pipeline_execution", answer, arn)
    assert account.gateway.status(arn["PipelineExecutionArn"]) == ("Failed", "Step failure")


def test_unknown_execution_is_gone(account: Account) -> None:
    account.stubbers["sagemaker"].add_client_error("describe_pipeline_execution", "ResourceNotFound")
    assert account.gateway.status("arn:aws:sagemaker:eu-central-1:000000000000:pipeline/p/execution/x")[0] == GONE


# What a run left

EXECUTION = "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/p/execution/abcdefghijkl"
COMPARED = Comparison("holdout", 9, 0.8, 0.7, -0.1, -0.2, -0.05, 0.01, False)
EVALUATION = Evaluation(False, ("holdout: a loss",), COMPARED, COMPARED, ())
PREPARED = Prepared(
    "f",
    "u",
    9,
    PreparedPart(6, {}, "a", "b"),
    PreparedPart(3, {}, "c", "d"),
    {},
    False,
    {"2026/03/01/04": PreparedHour(9, 700)},
)


def left(account: Account, key: str, text: str | bytes | None) -> None:
    """Let S3 answer with a file of the execution, or with an error."""
    if text is None:
        account.stubbers["s3"].add_client_error("get_object", "AccessDenied")
        return
    content = text if isinstance(text, bytes) else text.encode()
    answer = {"Body": StreamingBody(io.BytesIO(content), len(content))}
    account.answers("s3", "get_object", answer, {"Bucket": "artifacts", "Key": f"retraining/abcdefghijkl/{key}"})


def test_gates_evaluation_is_read(account: Account) -> None:
    left(account, "evaluation/evaluation.json", EVALUATION.to_json())
    assert account.gateway.evaluation(EXECUTION) == EVALUATION


@pytest.mark.parametrize("text", [None, "{}", "no json", b"\xff"])
def test_evaluation_that_cannot_be_read_is_none_and_logged(
    account: Account, text: str | bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    left(account, "evaluation/evaluation.json", text)
    assert account.gateway.evaluation(EXECUTION) is None
    assert "could not be read" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "n_new"), [(PREPARED.to_json(), 0), (None, 2), ("{}", 2)])
def test_new_rows_are_counted_by_the_account_of_the_run_and_without_it_all_are_new(
    account: Account, text: str | None, n_new: int
) -> None:
    left(account, "prepared/prepared.json", text)
    variant, key = "merged/plumbline-dev/AllTraffic/", "merged/plumbline-dev/AllTraffic/2026/03/01/04/part-00000.jsonl"
    listed = {"Bucket": "capture", "Prefix": "merged/plumbline-dev/", "Delimiter": "/"}
    account.answers("s3", "list_objects_v2", {"CommonPrefixes": [{"Prefix": variant}]}, listed)
    found = {"Contents": [{"Key": key, "Size": 700}]}
    account.answers("s3", "list_objects_v2", found, {"Bucket": "capture", "Prefix": f"{variant}2026/03/01/"})
    if n_new:
        content = json.dumps({"groundTruthData": {"data": "a\nb"}}).encode()
        answer = {"Body": StreamingBody(io.BytesIO(content), len(content))}
        account.answers("s3", "get_object", answer, {"Bucket": "capture", "Key": key})
    assert account.gateway.new_rows(EXECUTION, "2026-03-01T00:00:00Z", "2026-03-01T05:00:00Z", 9) == n_new

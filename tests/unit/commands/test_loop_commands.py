"""`plumbline champion`, `promote`, `rollback` and `retrain` as a person calls them."""

import io
import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from plumbline.cli import main
from plumbline.commands import promotion
from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.evaluation import Comparison, Evaluation

ARN = "arn:aws:sagemaker:eu-central-1:000000000000:model-package/plumbline-dev/"
OLD = Champion("s3://a/old.tar.gz", "s3://a/old")
NEW = Champion("s3://a/2.tar.gz", "s3://a/2", f"{ARN}2", "2026-03-01T05:00:00Z", "2026-03-01T05:20:00Z", "it drifts")


class NotThereError(Exception):
    """S3's and SSM's answer to what does not exist."""


class FakeAws:
    """All services in memory; `answers` are what the functions say, in their order."""

    def __init__(self) -> None:
        self.exceptions = self
        self.NoSuchKey = self.ParameterNotFound = NotThereError
        self.answers: list[Mapping[str, Any]] = []
        self.events: list[tuple[str, Any]] = []
        self.objects: dict[str, str] = {}
        self.packages: list[dict[str, Any]] = []
        self.parameters = {"/plumbline/dev/retraining": "on"}
        self.function_error: dict[str, str] = {}
        self.failure: Exception | None = None

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        if self.failure:
            raise self.failure
        outputs = {
            "plumbline-dev-monitoring": {"RetrainingFunctionName": "controller", "PromotionFunctionName": "promotion"},
            "plumbline-dev-foundation": {"ArtifactsBucketName": "artifacts"},
        }[StackName]
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()]}]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:
        self.events.append((FunctionName, json.loads(Payload)))
        return {"Payload": io.BytesIO(json.dumps(self.answers.pop(0)).encode()), **self.function_error}

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        assert Bucket == "artifacts"
        if Key not in self.objects:
            if Key.endswith("history.json"):
                raise NotThereError
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key].encode())}

    def list_model_packages(self, **request: Any) -> Mapping[str, Any]:
        assert request["ModelPackageGroupName"] == "plumbline-dev"
        return {"ModelPackageSummaryList": self.packages[: request["MaxResults"]]}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        return next(each for each in self.packages if each["ModelPackageArn"] == ModelPackageName)

    def get_parameter(self, *, Name: str) -> str:
        if Name not in self.parameters:
            raise NotThereError
        return self.parameters[Name]

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool) -> None:
        assert (Type, Overwrite) == ("String", True)
        self.parameters[Name] = Value


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()
    monkeypatch.setattr(boto3, "client", lambda service, **options: fake)
    monkeypatch.setattr(promotion, "POLL_SECONDS", 0)
    return fake


def answer(*, last: Mapping[str, Any] | None = None, accepted: bool = True, request: str = "r1") -> Mapping[str, Any]:
    return {
        "accepted": accepted,
        "text": "version 2 is to serve",
        "request": request,
        "waiting_for": "moving",
        "last": last,
    }


def ended(outcome: str, request: str = "r1") -> Mapping[str, Any]:
    return {"status": outcome, "request": request, "text": f"it {outcome}\n"}


def test_promotion_is_requested_and_printed(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers = [answer()]
    assert main(["promote", "2", "--environment", "dev", "--reason", "checked"]) == 0
    assert aws.events == [("promotion", {"promote": 2, "reason": "checked"})]
    assert capsys.readouterr().out.splitlines()[:2] == ["version 2 is to serve", "now: moving"]


@pytest.mark.parametrize(("verdict", "code"), [("promoted", 0), ("rolled_back", 0), ("failed", 1), ("refused", 1)])
def test_waiting_ends_with_the_outcome_of_this_request_alone(
    aws: FakeAws, verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ended("promoted", "somebody else's")
    aws.answers = [
        answer(last=before),
        answer(last=before, request="look"),
        answer(last=ended(verdict), request="look"),
    ]
    assert main(["rollback", "--environment", "dev", "--reason", "bad", "--wait"]) == code
    assert [event for _, event in aws.events] == [{"rollback": "bad"}, {"reevaluate": True}, {"reevaluate": True}]
    assert capsys.readouterr().out.splitlines()[-1] == f"it {verdict}"


def test_refusal_is_shown(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers = [answer(accepted=False)]
    assert main(["promote", "2", "--environment", "dev"]) == 2
    assert capsys.readouterr().err == "plumbline promote: error: version 2 is to serve\n"


def test_function_that_fails_is_shown(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers, aws.function_error = [{"errorType": "Boom", "errorMessage": "no"}], {"FunctionError": "Unhandled"}
    assert main(["promote", "2", "--environment", "dev"]) == 2
    assert "got Boom: no; read its log" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            ClientError({"Error": {"Code": "ValidationError", "Message": "no stack"}}, "DescribeStacks"),
            "no stack; check",
        ),
        (NoCredentialsError(), "Unable to locate credentials; set --region"),
    ],
)
@pytest.mark.parametrize("command", [["champion"], ["promote", "1"], ["rollback", "--reason", "x"]])
def test_refusal_of_aws_is_shown(
    aws: FakeAws, failure: Exception, message: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.failure = failure
    assert main([*command, "--environment", "dev"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("action", "code"), [("started", 0), ("skipped", 1), ("not_started", 1)])
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "force"])
def test_retraining_is_requested(aws: FakeAws, action: str, code: int, force: tuple[str, ...]) -> None:
    aws.answers = [{"decisions": [{"action": action, "reason": "because", "overridden": ["cool-down"]}]}]
    assert main(["retrain", "--environment", "dev", "--reason", "new rows", *force]) == code
    assert aws.events == [("controller", {"reason": "new rows"} | ({"force": True} if force else {}))]


@pytest.mark.parametrize("position", ["off", "on"])
def test_switch_is_turned(aws: FakeAws, position: str, capsys: pytest.CaptureFixture[str]) -> None:
    aws.parameters["/plumbline/dev/retraining"] = "?"
    assert main(["retrain", "--environment", "dev", f"--{position}"]) == 0
    assert aws.parameters == {"/plumbline/dev/retraining": position}
    assert f"the loop of dev is {position}" in capsys.readouterr().out


def test_switch_of_another_environment_is_not_made(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retrain", "--environment", "prod", "--off"]) == 2
    assert "/plumbline/prod/retraining" not in aws.parameters
    assert "must have the switch" in capsys.readouterr().err


def compared(name: str, champion: float, challenger: float) -> Comparison:
    return Comparison(name, 100, champion, challenger, challenger - champion, 0.0, 0.0, 0.01, passed=True)


@pytest.fixture
def served(aws: FakeAws) -> FakeAws:
    aws.objects["champion/history.json"] = ChampionHistory((OLD, NEW)).to_json()
    evaluation = Evaluation(True, (), compared("holdout", 0.7, 0.85), compared("test set", 0.8, 0.79), ())
    aws.objects["2/evaluation.json"] = evaluation.to_json()
    for number, approval in ((3, "PendingManualApproval"), (2, "Approved")):
        uri = f"s3://artifacts/{number}/evaluation.json"
        aws.packages.append(
            {
                "ModelPackageArn": f"{ARN}{number}",
                "ModelPackageVersion": number,
                "ModelApprovalStatus": approval,
                "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": uri}}},
                "CustomerMetadataProperties": {"cause": "drift"},
            }
        )
    return aws


def test_champion_is_shown(served: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["champion", "--environment", "dev"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "serves: version 2, since 2026-03-01T05:20:00Z",
        "  artifact: s3://a/2.tar.gz",
        "  baseline: s3://a/2",
        "  cause: it drifts",
        "served: the model of the environment file, from the beginning until 2026-03-01T05:00:00Z",
        "version 3: waits for approval; its evaluation could not be read",
        "  cause: drift",
        "version 2: serves; accuracy on new rows 0.850, its champion's 0.700, accuracy on the test set 0.790, "
        "its champion's 0.800",
        "  cause: drift",
    ]


def test_champion_is_shown_to_programs(served: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["champion", "--environment", "dev", "--json", "--versions", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["serves"]["model_package"] == f"{ARN}2"
    assert [each["artifact"] for each in document["served"]] == [OLD.artifact]
    assert [each["version"] for each in document["versions"]] == [3]


def test_environment_without_a_history_is_shown(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["champion", "--environment", "dev"]) == 2
    assert "must have a history of champions" in capsys.readouterr().err

"""The retraining loop and what goes wrong on its way, with every function, job and container running for real.

One environment lives through a story, a chapter per fixture; every test looks at one chapter.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.contract.champion import CHAMPION_HISTORY, ChampionHistory
from plumbline.contract.evaluation import Evaluation
from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Prefix, alarm_name
from plumbline.contract.retraining import (
    Lineage,
    LoopVariable,
    RetrainingMetric,
    champion_artifact,
    champion_baseline,
    model_package_group,
    pipeline_name,
    retraining_switch,
)
from plumbline.local.demo.deployment import Value
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.e2e.alerts import AlertInbox, deliver
from tests.e2e.challengers import (
    allow,
    deny,
    drifted,
    full_hours,
    poison,
    put_labelled,
    register_broken,
    restore,
)
from tests.e2e.deployment import HOUR, Deployment, deployed, environment_file
from tests.e2e.local_account import ROOT, eventually
from tests.e2e.roles import clients_of_role

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
N_FRESH = 3000
SETTINGS: Mapping[str, Value] = {
    "endpoint.instance_count": 2,
    "promotion.traffic": "canary",
    "promotion.canary_percent": 50,
    "promotion.bake_minutes": 5,
    "promotion.latency_milliseconds": 20_000,
    "retraining.minimum_fresh_rows": 2000,
    "retraining.fresh_hours": 6,
    "retraining.test_margin": 0.1,
    "retraining.slice_margin": 0.1,
}
PIPELINE_SECONDS = 120


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("retraining"), START, "dev", SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def inbox(deployment: Deployment) -> AlertInbox:
    return AlertInbox(deployment)


def invoke(deployment: Deployment, output: str, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = deployment.aws.client("lambda").invoke(
        FunctionName=deployment.outputs[output], Payload=json.dumps(event).encode()
    )
    document: dict[str, Any] = json.load(answer["Payload"])
    return document | ({"failed": True} if "FunctionError" in answer else {})


def executions(deployment: Deployment) -> list[dict[str, Any]]:
    name = pipeline_name(deployment.naming.environment)
    found = deployment.aws.client("sagemaker").list_pipeline_executions(PipelineName=name)
    rows: list[dict[str, Any]] = found["PipelineExecutionSummaries"]
    return rows


def ended(deployment: Deployment, number: int) -> dict[str, Any]:
    """Wait until the `number` executions that there are have ended, and return the newest."""
    rows = eventually(
        lambda: executions(deployment),
        lambda rows: len(rows) >= number and all(row["PipelineExecutionStatus"] != "Executing" for row in rows),
        seconds=PIPELINE_SECONDS,
    )
    assert len(rows) == number, rows
    return max(rows, key=lambda row: row["StartTime"])


def packages(deployment: Deployment) -> list[dict[str, Any]]:
    """Return every version, oldest first."""
    client = deployment.aws.client("sagemaker")
    listed = client.list_model_packages(ModelPackageGroupName=model_package_group("dev"), SortOrder="Ascending")
    return [
        client.describe_model_package(ModelPackageName=row["ModelPackageArn"])
        for row in listed["ModelPackageSummaryList"]
    ]


def served(deployment: Deployment) -> str:
    """Return the artifact that DescribeEndpoint says is in service."""
    client = deployment.aws.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=deployment.naming.endpoint)
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    artifact: str = model["PrimaryContainer"]["ModelDataUrl"]
    return artifact


def settled(deployment: Deployment) -> dict[str, Any]:
    """Let simulated time pass until the endpoint has settled, and return its description."""

    def passing() -> dict[str, Any]:
        deployment.aws.advance(60)
        described: dict[str, Any] = deployment.aws.client("sagemaker").describe_endpoint(
            EndpointName=deployment.naming.endpoint
        )
        return described

    return eventually(passing, lambda row: row["EndpointStatus"] == "InService", seconds=60)


def parameter(deployment: Deployment, name: str) -> str:
    value: str = deployment.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    return value


def history(deployment: Deployment) -> ChampionHistory:
    key = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"
    body = deployment.aws.client("s3").get_object(Bucket=deployment.outputs["ArtifactsBucketName"], Key=key)["Body"]
    return ChampionHistory.from_json(body.read().decode())


def counted(deployment: Deployment, metric: RetrainingMetric) -> float:
    now = deployment.aws.now()
    answer = deployment.aws.client("cloudwatch").get_metric_statistics(
        Namespace=METRIC_NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": Dimension.ENDPOINT, "Value": deployment.naming.endpoint}],
        StartTime=START - HOUR,
        EndTime=now + HOUR,
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def sound(deployment: Deployment, state: str) -> None:
    """Let the alarm on quality go to a state, as CloudWatch does."""
    deployment.aws.client("cloudwatch").set_alarm_state(
        AlarmName=alarm_name("dev", AlarmKind.QUALITY), StateValue=state, StateReason="1 datapoint, of a story"
    )


@pytest.fixture(scope="module")
def first_artifact(deployment: Deployment) -> str:
    artifact = served(deployment)
    answer = invoke(deployment, "PromotionFunctionName", {"reevaluate": True})
    assert "failed" not in answer, answer
    return artifact


@pytest.fixture(scope="module")
def without_labels(deployment: Deployment, first_artifact: str, inbox: AlertInbox) -> str:
    """What the topic tells of an alarm for which there are no labelled rows."""
    sound(deployment, "ALARM")
    return inbox.await_text("labels needed")


def test_alarm_without_labels_starts_nothing_and_says_what_is_needed(
    deployment: Deployment, without_labels: str
) -> None:
    assert "0 labelled rows" in without_labels
    assert "2000 are wanted" in without_labels
    assert "plumbline labels" in without_labels
    assert executions(deployment) == []
    assert counted(deployment, RetrainingMetric.SKIPPED) == 1


@dataclass(frozen=True)
class Killed:
    """The looks of a function that died between its write and its start, and what there was after each."""

    died: dict[str, Any]
    executions_then: int
    again: dict[str, Any]


@pytest.fixture(scope="module")
def killed(deployment: Deployment, without_labels: str) -> Killed:
    """Labels have come; the hourly look finds the alarm still on, and dies after its reservation.

    That the call after the write is refused leaves the same behind as a process that ends there.
    """
    put_labelled(deployment, drifted(N_FRESH, seed=1), full_hours(deployment, 3))
    role = deny(deployment, "RetrainingFunctionName", "sagemaker:StartPipelineExecution")
    died = invoke(deployment, "RetrainingFunctionName", {"reevaluate": True})
    number = len(executions(deployment))
    allow(deployment, role)
    return Killed(died, number, invoke(deployment, "RetrainingFunctionName", {"reevaluate": True}))


def test_function_that_died_after_its_write_is_carried_on_by_the_next_look(
    deployment: Deployment, killed: Killed
) -> None:
    assert killed.executions_then == 0
    assert "failed" not in killed.again, killed.again
    carried_on, looked = killed.again["decisions"]
    assert carried_on["action"] == "started"
    assert (looked["action"], looked["obstacle"]) == ("skipped", "in_progress")
    assert len(executions(deployment)) == 1


@pytest.fixture(scope="module")
def stormed(deployment: Deployment, killed: Killed, inbox: AlertInbox) -> list[dict[str, Any]]:
    """Decisions on messages that come again, side by side, and on an alarm that flaps; all while a run is on."""
    message = inbox.await_text(alarm_name("dev", AlarmKind.QUALITY))
    with ThreadPoolExecutor(4) as pool:
        decisions = [*pool.map(lambda _: deliver(deployment, message), range(4))]
    for state in ("OK", "ALARM", "OK", "ALARM"):
        sound(deployment, state)
    inbox.await_text("in progress")
    return decisions


def test_messages_that_come_again_and_a_flapping_alarm_start_nothing(
    deployment: Deployment, stormed: list[dict[str, Any]]
) -> None:
    assert {row["action"] for row in stormed} == {"skipped"}
    assert len(executions(deployment)) == 1


@pytest.fixture(scope="module")
def challenger(deployment: Deployment, stormed: object, inbox: AlertInbox) -> dict[str, Any]:
    """The version that the pipeline registered."""
    execution = ended(deployment, 1)
    steps = deployment.aws.client("sagemaker").list_pipeline_execution_steps(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    (package,) = packages(deployment)
    return package


def evaluation(deployment: Deployment, package: Mapping[str, Any]) -> Evaluation:
    uri: str = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return Evaluation.from_json(deployment.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def test_challenger_of_the_new_regime_passes_the_gate(deployment: Deployment, challenger: dict[str, Any]) -> None:
    found = evaluation(deployment, challenger)

    assert found.accepted, found
    assert found.holdout.difference is not None
    assert found.holdout.difference > 0.05
    assert {each.name for each in found.slices} == {"sex=Male", "sex=Female"}
    assert challenger["ModelApprovalStatus"] == "Approved"


def test_version_says_where_it_comes_from(challenger: dict[str, Any], first_artifact: str) -> None:
    lineage = challenger["CustomerMetadataProperties"]
    assert set(lineage) == set(Lineage)
    assert lineage[Lineage.CHAMPION] == first_artifact
    assert alarm_name("dev", AlarmKind.QUALITY) in lineage[Lineage.CAUSE]


@dataclass
class Traffic:
    """Requests that go on while the endpoint changes."""

    deployment: Deployment
    sent: int = 0
    failures: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        runtime = self.deployment.aws.client("sagemaker-runtime")
        rows = drifted(100, seed=5)
        for number in range(100_000):
            if self._stop.is_set():
                return
            row = rows.rows[number % len(rows)]
            try:
                runtime.invoke_endpoint(
                    EndpointName=self.deployment.naming.endpoint, ContentType="text/csv", Body=",".join(row)
                )
            except ClientError:
                self.failures += 1
            self.sent += 1
            time.sleep(0.02)

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@dataclass(frozen=True)
class Promoted:
    """What stood when the challenger served."""

    endpoint: dict[str, Any]
    traffic: Traffic
    message: str
    history: ChampionHistory


@pytest.fixture(scope="module")
def promoted(deployment: Deployment, challenger: dict[str, Any], inbox: AlertInbox) -> Promoted:
    traffic = Traffic(deployment)
    try:
        eventually(
            lambda: deployment.aws.client("sagemaker").describe_endpoint(EndpointName=deployment.naming.endpoint),
            lambda row: row["EndpointStatus"] == "Updating",
            seconds=30,
        )
        endpoint = settled(deployment)
        message = inbox.await_text("serves at the endpoint")
    finally:
        traffic.end()
    return Promoted(endpoint, traffic, message, history(deployment))


def test_challenger_takes_over_while_every_request_is_answered(
    deployment: Deployment, challenger: dict[str, Any], promoted: Promoted
) -> None:
    artifact = challenger["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert served(deployment) == artifact
    policy = promoted.endpoint["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert promoted.traffic.sent > 20
    assert promoted.traffic.failures == 0


def test_what_serves_is_recorded_with_its_baseline(
    deployment: Deployment, challenger: dict[str, Any], promoted: Promoted, first_artifact: str
) -> None:
    artifact = challenger["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    previous, live = promoted.history.champions
    assert (previous.artifact, live.artifact) == (first_artifact, artifact)
    assert live.model_package == challenger["ModelPackageArn"]
    assert live.baseline != previous.baseline
    assert parameter(deployment, champion_artifact("dev")) == artifact
    assert parameter(deployment, champion_baseline("dev")) == live.baseline
    assert promoted.history.changing_from is None


@pytest.fixture(scope="module")
def redeployed(deployment: Deployment, promoted: Promoted) -> str:
    """What serves after somebody deployed a change that has nothing to do with the model."""
    file = environment_file(deployment.state, "dev", {**SETTINGS, "alarms.monitor_silence_hours": 5})
    deployment.cdk.deploy(deployment.cdk.synthesize(file, deployment.state / "cdk.out.unrelated"), ())
    return served(deployment)


def test_deployment_of_an_unrelated_change_keeps_the_champion(
    deployment: Deployment, redeployed: str, promoted: Promoted
) -> None:
    assert redeployed == promoted.history.live.artifact
    eventually(lambda: history(deployment), lambda found: found.changing_from is None)
    assert [champion.artifact for champion in history(deployment).champions] == [
        champion.artifact for champion in promoted.history.champions
    ]


@pytest.fixture(scope="module")
def gated(deployment: Deployment, redeployed: object) -> dict[str, Any]:
    """The version of a training that was spoilt; a person asked for it in the cool-down."""
    true = poison(deployment)
    try:
        refused = invoke(deployment, "RetrainingFunctionName", {"reason": "once more"})
        assert [row["obstacle"] for row in refused["decisions"]] == ["cooldown"], refused
        forced = invoke(deployment, "RetrainingFunctionName", {"reason": "once more", "force": True})
        assert [row["action"] for row in forced["decisions"]] == ["started"], forced
        assert ended(deployment, 2)["PipelineExecutionStatus"] == "Succeeded"
    finally:
        restore(deployment, true)
    return packages(deployment)[-1]


def test_worse_challenger_is_rejected_with_the_table_and_never_serves(
    deployment: Deployment, gated: dict[str, Any], promoted: Promoted, inbox: AlertInbox
) -> None:
    assert gated["ModelApprovalStatus"] == "Rejected"
    assert not evaluation(deployment, gated).accepted
    message = inbox.await_text("is rejected and will not serve")
    assert "holdout" in message
    assert served(deployment) == promoted.history.live.artifact
    assert counted(deployment, RetrainingMetric.CHALLENGERS_REJECTED) == 1


@pytest.fixture(scope="module")
def held(deployment: Deployment, gated: object, inbox: AlertInbox) -> list[list[str]]:
    """Obstacles of looks after the rejection, without a cool-down: hourly ones and a person's."""
    client, name = deployment.aws.client("lambda"), deployment.outputs["RetrainingFunctionName"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, LoopVariable.COOLDOWN_HOURS.value: "0"}}
    )
    looks = []
    for event in ({"reevaluate": True}, {"reevaluate": True}, {"reason": "and now?"}):
        answer = invoke(deployment, "RetrainingFunctionName", event)
        looks.append([row["obstacle"] for row in answer["decisions"] if row["action"] != "closed"])
    return looks


def test_rejected_challenger_is_not_tried_again_on_the_same_evidence(
    deployment: Deployment, held: list[list[str]], inbox: AlertInbox
) -> None:
    assert held == [["same_evidence"]] * 3
    message = inbox.await_text("worth another run")
    assert "0 labelled rows are new, of 2000" in message
    assert "--force" in message
    assert len(executions(deployment)) == 2


@dataclass(frozen=True)
class RolledBack:
    """A version that does not start, and the topic's word on it."""

    arn: str
    message: str


@pytest.fixture(scope="module")
def rolled_back(deployment: Deployment, held: object, challenger: dict[str, Any], inbox: AlertInbox) -> RolledBack:
    arn = register_broken(deployment, challenger)
    message = inbox.await_text("does not serve at the endpoint")
    settled(deployment)
    return RolledBack(arn, message)


def test_container_that_does_not_start_is_rolled_back_and_not_tried_again(
    deployment: Deployment, rolled_back: RolledBack, promoted: Promoted
) -> None:
    package = deployment.aws.client("sagemaker").describe_model_package(ModelPackageName=rolled_back.arn)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert served(deployment) == promoted.history.live.artifact
    after = eventually(lambda: history(deployment), lambda found: found.changing_from is None)
    assert after.live == promoted.history.live
    assert parameter(deployment, champion_artifact("dev")) == promoted.history.live.artifact
    assert counted(deployment, RetrainingMetric.ROLLED_BACK) == 1


@pytest.fixture(scope="module")
def returned(deployment: Deployment, rolled_back: object) -> ChampionHistory:
    """The history after a person went back to the model before."""
    answer = invoke(deployment, "PromotionFunctionName", {"rollback": "the numbers look odd"})
    assert answer.get("accepted") is True, answer
    settled(deployment)
    return eventually(lambda: history(deployment), lambda found: len(found.champions) == 3, seconds=30)


def test_rollback_by_hand_brings_model_and_baseline_back(
    deployment: Deployment, returned: ChampionHistory, promoted: Promoted, first_artifact: str
) -> None:
    first = promoted.history.champions[0]
    assert served(deployment) == first_artifact
    assert (returned.live.artifact, returned.live.baseline) == (first.artifact, first.baseline)
    eventually(lambda: parameter(deployment, champion_baseline("dev")), lambda value: value == first.baseline)
    assert parameter(deployment, champion_artifact("dev")) == first.artifact
    assert {package["ModelApprovalStatus"] for package in packages(deployment)} == {"Rejected"}


def test_switch_stops_the_loop_at_once(deployment: Deployment, returned: object) -> None:
    deployment.aws.client("ssm").put_parameter(Name=retraining_switch("dev"), Value="off", Overwrite=True)

    answer = invoke(deployment, "RetrainingFunctionName", {"reason": "who stops me?"})

    assert [row["obstacle"] for row in answer["decisions"]] == ["switched_off"]
    assert len(executions(deployment)) == 2


def program(deployment: Deployment, *arguments: str) -> str:
    command = [str(ROOT / ".venv" / "bin" / "plumbline"), *arguments, "--environment", "dev"]
    ran = subprocess.run(
        command, env=dict(deployment.aws.environment), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_people_see_what_serves_and_turn_the_switch_by_the_program(
    deployment: Deployment, returned: ChampionHistory
) -> None:
    told = json.loads(program(deployment, "champion", "--json"))
    assert (told["serves"]["artifact"], told["serves"]["baseline"]) == (returned.live.artifact, returned.live.baseline)
    assert [version["version"] for version in told["versions"]] == [3, 2, 1]
    assert {version["approval"] for version in told["versions"]} == {"Rejected"}
    assert told["versions"][1]["holdout"]["challenger"] < told["versions"][1]["holdout"]["champion"]

    for position in ("on", "off"):
        program(deployment, "retrain", f"--{position}")
        assert parameter(deployment, retraining_switch("dev")) == position


def refused(*calls: Callable[[], Any]) -> None:
    for call in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def role_of(deployment: Deployment, output: str) -> Callable[[str], Any]:
    function = deployment.aws.client("lambda").get_function_configuration(FunctionName=deployment.outputs[output])
    return clients_of_role(deployment.aws, function["Role"])


def test_controller_starts_its_pipeline_and_touches_nothing_that_serves(
    deployment: Deployment, returned: object
) -> None:
    sagemaker = role_of(deployment, "RetrainingFunctionName")("sagemaker")
    endpoint = {"EndpointName": deployment.naming.endpoint, "EndpointConfigName": "any"}

    refused(
        lambda: sagemaker.update_endpoint(**endpoint),
        lambda: sagemaker.start_pipeline_execution(PipelineName="another", ClientRequestToken="0" * 32),
        lambda: sagemaker.delete_model(ModelName="any"),
    )


def test_promotion_function_changes_its_endpoint_and_its_own_models_only(
    deployment: Deployment, returned: object
) -> None:
    client = role_of(deployment, "PromotionFunctionName")
    sagemaker, s3 = client("sagemaker"), client("s3")
    artifacts = deployment.outputs["ArtifactsBucketName"]

    refused(
        lambda: sagemaker.update_endpoint(EndpointName="another", EndpointConfigName="any"),
        lambda: sagemaker.delete_model(ModelName="of-somebody-else"),
        lambda: sagemaker.delete_endpoint(EndpointName=deployment.naming.endpoint),
        lambda: s3.put_object(Bucket=artifacts, Key="models/forged/model.tar.gz", Body=b"x"),
        lambda: client("ssm").put_parameter(Name=retraining_switch("dev"), Value="on", Overwrite=True),
    )


def test_pipelines_roles_reach_their_own_jobs_and_prefixes_only(deployment: Deployment, returned: object) -> None:
    described = deployment.aws.client("sagemaker").describe_pipeline(PipelineName=pipeline_name("dev"))
    pipeline = clients_of_role(deployment.aws, described["RoleArn"])("sagemaker")
    definition = json.loads(described["PipelineDefinition"])
    (prepare,) = [step for step in definition["Steps"] if step["Name"] == "Prepare"]
    job = clients_of_role(deployment.aws, prepare["Arguments"]["RoleArn"])("s3")

    refused(
        lambda: pipeline.stop_training_job(TrainingJobName="of-somebody-else"),
        lambda: pipeline.update_endpoint(EndpointName=deployment.naming.endpoint, EndpointConfigName="any"),
        lambda: job.put_object(Bucket=deployment.outputs["ArtifactsBucketName"], Key="champion/x", Body=b"x"),
        lambda: job.put_object(Bucket=deployment.outputs["CaptureBucketName"], Key="merged/x", Body=b"x"),
    )


def test_no_event_was_lost_on_the_way(deployment: Deployment, returned: object) -> None:
    queue = deployment.outputs["DeadLetterQueueUrl"]
    answer = deployment.aws.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert answer["Attributes"]["ApproximateNumberOfMessages"] == "0"

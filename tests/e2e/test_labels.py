"""Labels through the whole: uploaded to where the stacks await them, joined, judged, told, and acted on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plumbline.contract.accuracy import Measure
from plumbline.contract.names import GROUND_TRUTH_OUTPUT, Metric
from plumbline.contract.quality import WindowQuality
from plumbline.contract.records import Verdict
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import scenario
from plumbline.labels.destination import store
from plumbline.labels.records import RequestLabels, label_files
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from plumbline.traffic.choices import Format
from plumbline.traffic.replay import ReplayPlan
from tests.e2e import messages
from tests.e2e.deployment import HOUR, ROWS_PER_REQUEST, SEED, VARIANT, Deployment, deployed, pool
from tests.e2e.local_account import eventually

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
"""Hour of the requests whose labels are right."""
UNLABELLED = START + HOUR
CONTRADICTED = START + 2 * HOUR
"""Hour of the requests whose labels are all the other way round."""
RUN_MINUTE = timedelta(minutes=15)
N_ROWS = 600
N_REQUESTS = N_ROWS // ROWS_PER_REQUEST
N_ANSWERED = 54
"""Requests of an hour that get labels: 90 %."""
VALUES: dict[str, str | int] = {
    "monitor.engine": "scheduler",
    "monitor.schedule": "cron(15 * ? * * *)",
    "labels.lag_hours": 1,
    "retraining.minimum_fresh_rows": 500,
}


def rows_sent() -> LabelledRows:
    """Return the rows of every hour, as `Deployment.send` draws them."""
    return scenario("none").rows(pool(), 1, N_ROWS, SEED)


def other_way_round(labels: Sequence[str]) -> tuple[str, ...]:
    low, high = sorted(set(rows_sent().labels))
    return tuple(high if label == low else low for label in labels)


def upload(deployment: Deployment, name: str, labels: Sequence[str], collected: datetime) -> None:
    """Upload the labels of most requests that were sent under a name."""
    plan = ReplayPlan(deployment.naming.endpoint, 1, N_ROWS, ROWS_PER_REQUEST, Format.ALTERNATE, name)
    requests = [
        RequestLabels(
            plan.inference_id(1, number),
            tuple(labels[number * ROWS_PER_REQUEST : (number + 1) * ROWS_PER_REQUEST]),
            collected,
        )
        for number in range(N_ANSWERED)
    ]
    store(label_files(requests), deployment.outputs[GROUND_TRUTH_OUTPUT], lambda: deployment.aws.client("s3"))


def run_after(deployment: Deployment, end: datetime) -> None:
    """Advance to the run that follows an hour's end, wait for it, and give the alarms their minute."""
    deployment.advance_to(end + RUN_MINUTE)
    sagemaker, n_jobs = deployment.aws.client("sagemaker"), (end - START) // HOUR

    def jobs() -> dict[str, Any]:
        found = sagemaker.list_processing_jobs(NameContains=f"{deployment.naming.schedule}-")
        return {row["ProcessingJobName"]: row["ProcessingJobStatus"] for row in found["ProcessingJobSummaries"]}

    ended = eventually(jobs, lambda found: len(found) == n_jobs and "InProgress" not in found.values())
    assert set(ended.values()) == {"Completed"}
    deployment.aws.advance(60)


def judged(deployment: Deployment, hour: datetime, *, in_run_of: datetime) -> WindowQuality:
    """Return what the run of one window says of another."""
    report = deployment.report(in_run_of)
    (found,) = [entry for entry in report.quality.windows if entry.window.start == f"{hour:%Y-%m-%dT%H:%M:%SZ}"]
    return found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("labels"), START + 2 * RUN_MINUTE, "labels", VALUES) as running:
        yield running


@pytest.fixture(scope="module")
def labelled(deployment: Deployment) -> Deployment:
    """An hour whose labels came in the hour after, when nothing else was labelled."""
    deployment.send("right", N_ROWS)
    run_after(deployment, START + HOUR)
    deployment.send("silent", N_ROWS)
    upload(deployment, "right", rows_sent().labels, START + HOUR + 3 * RUN_MINUTE)
    run_after(deployment, UNLABELLED + HOUR)
    return deployment


@dataclass(frozen=True)
class Silence:
    """What came of an hour whose labels stayed away."""

    window: WindowQuality
    coverage: list[float]
    retrainings: list[str]


@pytest.fixture(scope="module")
def silence(labelled: Deployment) -> Silence:
    """The hour after that, when the time for the labels of the silent hour is over."""
    labelled.send("wrong", N_ROWS)
    run_after(labelled, CONTRADICTED + HOUR)
    labelled.await_alarm(AlarmKind.LABELS_MISSING, "ALARM")
    window = judged(labelled, UNLABELLED, in_run_of=CONTRADICTED)
    return Silence(window, labelled.published(Metric.LABELLED_FRACTION), labelled.retrainings())


@pytest.fixture(scope="module")
def contradicted(labelled: Deployment, silence: Silence) -> Deployment:
    """The hour after that, when labels came that contradict every prediction that was right."""
    assert silence.retrainings == []
    upload(labelled, "wrong", other_way_round(rows_sent().labels), CONTRADICTED + HOUR + 3 * RUN_MINUTE)
    run_after(labelled, CONTRADICTED + 2 * HOUR)
    return labelled


def test_labels_are_joined_with_the_hour_that_they_belong_to(labelled: Deployment) -> None:
    window = judged(labelled, START, in_run_of=UNLABELLED)

    assert (window.n_rows, window.n_labelled, window.is_final) == (N_ROWS, N_ANSWERED * ROWS_PER_REQUEST, True)
    assert window.labelled_fraction == pytest.approx(0.9)
    assert window.verdict is Verdict.NO_DRIFT, str(window.reason)
    report = labelled.report(UNLABELLED)
    assert (report.quality.lag_hours, report.quality.labels.read, report.quality.labels.used) == (1, 54, 54)


def test_joined_records_are_kept_beside_the_captures(labelled: Deployment) -> None:
    s3, bucket = labelled.aws.client("s3"), labelled.outputs["CaptureBucketName"]
    prefix = f"{labelled.naming.merged_prefix}/{VARIANT}/{START:%Y/%m/%d/%H}/"
    (entry,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    head = s3.head_object(Bucket=bucket, Key=entry["Key"])
    assert head["ServerSideEncryption"] == "aws:kms"
    lines = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode().splitlines()
    first = json.loads(lines[0])
    assert len(lines) == N_ANSWERED
    assert {"captureData", "eventMetadata", "groundTruthData"} <= set(first)
    number = int(first["eventMetadata"]["inferenceId"].rsplit("r", 1)[1])
    deserved = rows_sent().labels[number * ROWS_PER_REQUEST : (number + 1) * ROWS_PER_REQUEST]
    assert tuple(first["groundTruthData"]["data"].split("\n")) == deserved


def test_labels_that_stay_away_fire_their_alarm_and_start_nothing(silence: Silence) -> None:
    assert (silence.window.labelled_fraction, silence.window.is_final) == (0, True)
    assert silence.window.verdict is Verdict.NOT_JUDGED
    assert silence.coverage == [0]
    assert silence.retrainings == []


def test_wrong_answers_fire_the_alarms_and_start_one_retraining(contradicted: Deployment) -> None:
    window = judged(contradicted, CONTRADICTED, in_run_of=CONTRADICTED + HOUR)
    (accuracy,) = [found for found in window.measures if found.measure is Measure.ACCURACY]

    assert window.verdict is Verdict.DRIFT, str(window.reason)
    assert accuracy.value is not None
    assert accuracy.value < 0.5
    assert contradicted.published(Metric.REALISED_ACCURACY_DROP) == [1]
    assert contradicted.published(Metric.CONCEPT_SHIFT_VERDICT) == [1]
    for kind in (AlarmKind.QUALITY, AlarmKind.CONCEPT_SHIFT):
        contradicted.await_alarm(kind, "ALARM")
    contradicted.await_alarm(AlarmKind.LABELS_MISSING, "OK")
    # The projection sees rows, and the rows are as they were.
    assert contradicted.alarm(AlarmKind.DRIFT)["StateValue"] == "OK"
    messages.eventually(lambda: len(contradicted.retrainings()) == 1, "one retraining must be started")

"""The population's labels come an hour late, for most requests, in both places."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

from local.demo.late_labels import LateLabels
from plumbline.population import generate
from plumbline.rows import LabelledRows
from plumbline.traffic import Plan

END = datetime(2026, 1, 5, 13, 59, 55, tzinfo=UTC)
URI = "s3://capture/ground-truth/plumbline-dev"
N = 995


class FakeS3:
    """Objects by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Bucket, Key] = Body

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.objects[bucket, key] = Path(path).read_bytes()

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for found, key in self.objects if found == bucket)


def plan(hour: int) -> Plan:
    return Plan("plumbline-dev", hours=1, rows_per_hour=N, rows_per_request=10, name=f"demo-{hour:02d}")


def delivered(seed: int = 3, uri: str | None = URI) -> tuple[FakeS3, LabelledRows]:
    """Play two hours and return what was uploaded, and the rows of the first."""
    s3, rows = FakeS3(), generate(N, 5)
    labels = LateLabels(s3, uri, "artifacts", seed)
    labels.sent(1, plan(1), rows)
    labels.deliver(1, END)
    assert s3.objects == {}
    labels.sent(2, plan(2), generate(N, 6))
    labels.deliver(2, END)
    return s3, rows


def requests(s3: FakeS3) -> dict[str, list[str]]:
    (key,) = s3.keys("capture")
    records = [json.loads(line) for line in s3.objects["capture", key].splitlines()]
    return {
        record["eventMetadata"]["eventId"]: [
            label for (label,) in csv.reader(io.StringIO(record["groundTruthData"]["data"]))
        ]
        for record in records
    }


def test_labels_of_an_hour_come_at_the_end_of_the_next() -> None:
    s3, _ = delivered()

    (key,) = s3.keys("capture")
    assert key.startswith("ground-truth/plumbline-dev/2026/01/05/13/59-55-")
    assert {name[:7] for name in requests(s3)} == {"demo-01"}


def test_about_nine_tenths_of_the_requests_are_labelled_with_all_their_rows() -> None:
    s3, rows = delivered()

    found = requests(s3)
    assert 0.8 < len(found) / 100 < 1
    for name, labels in found.items():
        first = 10 * int(name[-6:])
        assert tuple(labels) == rows.labels[first : first + 10]


def test_the_same_seed_labels_the_same_requests() -> None:
    assert delivered(seed=3)[0].objects == delivered(seed=3)[0].objects
    assert set(requests(delivered(seed=3)[0])) != set(requests(delivered(seed=4)[0]))


def test_fresh_rows_are_those_that_are_labelled() -> None:
    s3, rows = delivered()

    assert s3.keys("artifacts") == ["training-data/fresh/hour-01.csv"]
    _, *lines = csv.reader(io.StringIO(s3.objects["artifacts", "training-data/fresh/hour-01.csv"].decode()))
    expected = [
        [*rows.rows[position], rows.labels[position]]
        for name in requests(s3)
        for position in range(10 * int(name[-6:]), min(10 * int(name[-6:]) + 10, N))
    ]
    assert lines == expected


def test_fresh_rows_come_where_no_labels_are_awaited() -> None:
    s3, _ = delivered(uri=None)

    assert s3.keys("capture") == []
    assert s3.keys("artifacts") == ["training-data/fresh/hour-01.csv"]


def test_an_hour_without_a_labelled_request_adds_nothing() -> None:
    """Of one request of one row the labels come or do not: with some seed they do not."""
    for seed in range(100):
        s3 = FakeS3()
        labels = LateLabels(s3, URI, "artifacts", seed)
        labels.sent(1, Plan("e", hours=1, rows_per_hour=1), generate(1, 5))
        labels.deliver(2, END)
        assert len(s3.objects) in {0, 2}
        if not s3.objects:
            return
    raise AssertionError("every one of a hundred seeds labelled the request")

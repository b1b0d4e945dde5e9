"""The population's labels come an hour late: for some requests, for most of them on request."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from plumbline.data.population import generate
from plumbline.data.rows import LabelledRows
from plumbline.local.demo.data import LateLabels, halves
from plumbline.traffic.replay import ReplayPlan

END = datetime(2026, 1, 5, 13, 59, 55, tzinfo=UTC)
URI = "s3://capture/ground-truth/plumbline-dev"
N = 995


class FakeS3:
    """Objects by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Bucket, Key] = Body

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for found, key in self.objects if found == bucket)


def plan(hour: int) -> ReplayPlan:
    return ReplayPlan("plumbline-dev", hours=1, rows_per_hour=N, rows_per_request=10, name=f"demo-{hour:02d}")


def delivered(seed: int = 3, uri: str | None = URI, *, are_requested: bool = False) -> tuple[FakeS3, LabelledRows]:
    """Play two hours and return what was uploaded, and the rows of the first."""
    s3, rows = FakeS3(), generate(N, 5)
    labels = LateLabels(s3, uri, seed, are_requested)
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


@pytest.mark.parametrize(("are_requested", "least", "most"), [(False, 0.2, 0.4), (True, 0.8, 1.0)])
def test_a_sample_of_the_requests_is_labelled_and_most_on_request(
    are_requested: bool, least: float, most: float
) -> None:
    s3, rows = delivered(are_requested=are_requested)

    found = requests(s3)
    assert least < len(found) / 100 < most
    for name, labels in found.items():
        first = 10 * int(name[-6:])
        assert tuple(labels) == rows.labels[first : first + 10]


def test_who_are_requested_labels_the_sample_too() -> None:
    assert requests(delivered()[0]).keys() < requests(delivered(are_requested=True)[0]).keys()


def test_the_same_seed_labels_the_same_requests() -> None:
    assert delivered(seed=3)[0].objects == delivered(seed=3)[0].objects
    assert set(requests(delivered(seed=3)[0])) != set(requests(delivered(seed=4)[0]))


def test_labels_come_nowhere_where_none_are_awaited() -> None:
    s3, _ = delivered(uri=None)

    assert s3.objects == {}


def test_halves_share_no_row_and_lose_none() -> None:
    pool = LabelledRows(("number",), tuple((str(n),) for n in range(101)), ("<=50K",) * 101)

    first, second = halves(pool, 7)

    assert sorted(first.rows + second.rows) == sorted(pool.rows)
    assert (len(first), len(second)) == (51, 50)
    assert (first, second) == halves(pool, 7)
    assert first != halves(pool, 8)[0]

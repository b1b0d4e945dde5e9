import io
import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from plumbline.contract.prepared import PreparedHour
from plumbline.functions.retraining.fresh_rows import FreshRowCounter, labelled_rows

FROM, UNTIL = "2026-02-28T22:00:00Z", "2026-03-01T02:00:00Z"
ROOT = "merged/plumbline-dev/"
VARIANT = f"{ROOT}AllTraffic/"


def record(*labels: str) -> bytes:
    return json.dumps({"captureData": {}, "groundTruthData": {"data": "\n".join(labels), "encoding": "CSV"}}).encode()


class Bucket:
    """S3 answers in the order in which they are asked for."""

    def __init__(self, **sizes: int) -> None:
        self.sizes = {
            f"{VARIANT}2026/{key[1:].replace('_', '/')}/part-00000.jsonl": size for key, size in sizes.items()
        }
        self.client = boto3.client("s3", "eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        self.stubber = Stubber(self.client)
        self.lists(ROOT, variants=[VARIANT], Delimiter="/")

    def lists(self, prefix: str, *keys: str, variants: list[str] | None = None, **expected: str) -> None:
        answer: dict[str, Any] = {"Contents": [{"Key": key, "Size": self.sizes.get(key, 0)} for key in keys]}
        if variants:
            answer["CommonPrefixes"] = [{"Prefix": variant} for variant in variants]
        self.stubber.add_response("list_objects_v2", answer, {"Bucket": "capture", "Prefix": prefix, **expected})

    def holds(self, key: str, *lines: bytes) -> None:
        content = b"\n".join(lines) + b"\n"
        answer = {"Body": StreamingBody(io.BytesIO(content), len(content))}
        self.stubber.add_response("get_object", answer, {"Bucket": "capture", "Key": key})

    def count_new(self, enough: int, seen: Mapping[str, PreparedHour]) -> int:
        with self.stubber:
            counter = FreshRowCounter(self.client, "capture", "plumbline-dev")
            number = counter.count_new(FROM, UNTIL, enough, seen)
        self.stubber.assert_no_pending_responses()
        return number

    def count(self, enough: int) -> int:
        with self.stubber:
            number = FreshRowCounter(self.client, "capture", "plumbline-dev").count(FROM, UNTIL, enough)
        self.stubber.assert_no_pending_responses()
        return number


def test_rows_of_the_hours_are_counted_newest_first() -> None:
    bucket = Bucket()
    hours = [f"{VARIANT}2026/03/01/{hour}/part-00000.jsonl" for hour in ("00", "01", "02")]
    bucket.lists(
        f"{VARIANT}2026/03/01/", *hours, f"{VARIANT}2026/03/01/_SUCCESS", f"{VARIANT}2026/03/01/no-time/p.jsonl"
    )
    bucket.holds(hours[1], record(">50K", "", "<=50K"), record("<=50K"))
    bucket.holds(hours[0], record(""))
    early = [f"{VARIANT}2026/02/28/{hour}/part-00000.jsonl" for hour in ("21", "22")]
    bucket.lists(f"{VARIANT}2026/02/28/", *early)
    bucket.holds(early[1], b"no record", record("<=50K"))
    assert bucket.count(1000) == 4


def test_counting_stops_when_there_are_enough() -> None:
    bucket = Bucket()
    key = f"{VARIANT}2026/03/01/01/part-00000.jsonl"
    bucket.lists(f"{VARIANT}2026/03/01/", f"{VARIANT}2026/03/01/00/part-00000.jsonl", key)
    bucket.holds(key, record("a", "b"), record("c", "d"), record("e"))
    assert bucket.count(3) == 3


def test_endpoint_without_labels_has_no_rows() -> None:
    bucket = Bucket()
    bucket.lists(f"{VARIANT}2026/03/01/")
    bucket.lists(f"{VARIANT}2026/02/28/")
    assert bucket.count(1) == 0


def test_new_rows_are_those_that_a_run_had_not_read_and_unchanged_hours_are_not_read_again() -> None:
    bucket = Bucket(_03_01_00=300, _02_28_23=200, _02_28_22=100)
    newest, late, old = bucket.sizes
    bucket.lists(f"{VARIANT}2026/03/01/", newest)
    bucket.holds(newest, record(">50K", "<=50K"), record("<=50K"))
    bucket.lists(f"{VARIANT}2026/02/28/", old, late)
    bucket.holds(late, record("a", "b", "c", "", "d"))
    seen = {"2026/02/28/23": PreparedHour(3, 150), "2026/02/28/22": PreparedHour(7, 100)}
    assert bucket.count_new(1000, seen) == 3 + 1


def test_counting_of_new_rows_stops_when_there_are_enough() -> None:
    bucket = Bucket(_03_01_00=300, _02_28_23=200)
    newest, _ = bucket.sizes
    bucket.lists(f"{VARIANT}2026/03/01/", newest)
    bucket.holds(newest, record("a", "b"), record("c", "d"), record("e"))
    assert bucket.count_new(3, {"2026/03/01/00": PreparedHour(1, 9)}) == 3


def test_hour_that_lost_rows_takes_none_from_others() -> None:
    bucket = Bucket(_03_01_00=300, _02_28_23=200)
    newest, late = bucket.sizes
    bucket.lists(f"{VARIANT}2026/03/01/", newest)
    bucket.holds(newest, record("a"))
    bucket.lists(f"{VARIANT}2026/02/28/", late)
    bucket.holds(late, record("a", "b"))
    assert bucket.count_new(9, {"2026/03/01/00": PreparedHour(5, 9), "2026/02/28/23": PreparedHour(1, 9)}) == 1


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"7", b"{}", b'{"groundTruthData": null}', b'{"groundTruthData": {"data": 7}}', b"\xff", b"[" * 9999],
)
def test_what_is_no_merged_record_has_no_rows(line: bytes) -> None:
    assert labelled_rows(line) == 0

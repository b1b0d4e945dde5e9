"""Labels in SageMaker's ground-truth format: what merge jobs and the drift container join with captured requests.

Source: SageMaker Developer Guide, "Ingest Ground Truth labels and merge them with predictions".
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Protocol

from plumbline.drift.data.times import hour_folder

EVENT_VERSION = "0"
RECORDS_PER_FILE = 100_000
"""About 15 MB."""
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class LabelLine(Protocol):
    """The labels of one request, with the moment at which the last of them was known."""

    @property
    def collected(self) -> datetime:
        """When they were collected, with its zone."""

    def to_json(self) -> str:
        """Return the record as one line."""


@dataclass(frozen=True)
class RequestLabels:
    """The labels of one request, one for each of its rows in their order.

    `id` is the InferenceId that the request was sent with or, of one sent without, the event id in its capture record.
    `collected` is when the last of the labels was known, with its zone.
    """

    id: str
    labels: tuple[str, ...]
    collected: datetime

    def to_json(self) -> str:
        """Return the record as one line: several labels are the lines of a CSV text."""
        data = io.StringIO(newline="")
        csv.writer(data, lineterminator="\n").writerows((label,) for label in self.labels)
        record = {
            "groundTruthData": {"data": data.getvalue().removesuffix("\n"), "encoding": "CSV"},
            "eventMetadata": {"eventId": self.id},
            "eventVersion": EVENT_VERSION,
        }
        return _JSON.encode(record)


@dataclass(frozen=True)
class LabelFile:
    """One file of records below the ground truth's root: `key` begins with the hour in which they were collected."""

    key: str
    body: bytes
    n_records: int


def label_files(requests: Iterable[LabelLine]) -> Iterator[LabelFile]:
    """Yield the files that hold these labels, in the order of their keys' hours.

    The key is made of what the file holds: minute and second of its latest label, so that of two labels for one
    request the later one stands last, and a digest of its bytes, so that the same labels make the same file again.
    """
    ordered = sorted(requests, key=lambda request: request.collected)
    for hour, group in groupby(ordered, key=lambda request: hour_folder(request.collected)):
        of_hour = list(group)
        for first in range(0, len(of_hour), RECORDS_PER_FILE):
            batch = of_hour[first : first + RECORDS_PER_FILE]
            body = "".join(f"{request.to_json()}\n" for request in batch).encode()
            latest = batch[-1].collected.astimezone(UTC)
            digest = hashlib.sha256(body).hexdigest()[:16]
            yield LabelFile(f"{hour}/{latest:%M-%S}-{digest}.jsonl", body, len(batch))

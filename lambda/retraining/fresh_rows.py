"""Count the labelled rows in the captures of some hours, as the monitor's run joined and stored them.

``merged/{endpoint}/{variant}/yyyy/mm/dd/hh/part-*.jsonl``: a line is a capture record with ``groundTruthData``, whose
``data`` has a line for each row of the request, empty where no label has come (container/drift/ground_truth/merged.py).
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from plumbline.contract.names import Prefix


class FreshRowCounter:
    """Counts the labelled rows of one endpoint in the capture bucket."""

    def __init__(self, s3: Any, bucket: str, endpoint: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._endpoint = endpoint

    def count(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of rows of all variants, newest first; `enough` as soon as there are so many.

        Times are full hours, ISO 8601 in UTC with Z.
        """
        first, until = _moment(fresh_from), _moment(fresh_until)
        total = 0
        for key in self._keys(first, until) if enough > 0 else ():
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
            try:
                for line in body.iter_lines():
                    total += labelled_rows(line)
                    if total >= enough:
                        return enough
            finally:
                body.close()
        return total

    def _keys(self, first: datetime, until: datetime) -> Iterator[str]:
        """Yield the keys of the hours, by days, newest first: a listing for each day and variant."""
        variants = list(self._variants())
        day = until - timedelta(microseconds=1)
        while day.date() >= first.date():
            for variant in variants:
                folder = f"{variant}{day:%Y/%m/%d}/"
                keys = [key for key in self._below(folder) if first <= _hour_of(key, folder, day) < until]
                yield from reversed(keys)
            day -= timedelta(days=1)

    def _variants(self) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        prefix = f"{Prefix.MERGED}/{self._endpoint}/"
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"]

    def _below(self, folder: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=folder):
            for entry in page.get("Contents", ()):
                if entry["Key"].endswith(".jsonl"):
                    yield entry["Key"]


def labelled_rows(line: bytes) -> int:
    """Return how many rows of a merged record have a label; 0 if it is not a merged record."""
    try:
        record = json.loads(line)
        labels = record["groundTruthData"]["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return sum(1 for label in labels.split("\n") if label.strip()) if isinstance(labels, str) else 0


def _hour_of(key: str, folder: str, day: datetime) -> datetime:
    """Return the hour of a key below a day's folder; one that no hour includes if the key is of another layout."""
    hour = key.removeprefix(folder).split("/")[0]
    if len(hour) == 2 and hour.isdecimal() and int(hour) < 24:
        return day.replace(hour=int(hour), minute=0, second=0, microsecond=0)
    return datetime.max.replace(tzinfo=day.tzinfo)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""Count the labelled rows in the captures of some hours, as the monitor's run joined and stored them.

``merged/{endpoint}/{variant}/yyyy/mm/dd/hh/part-*.jsonl``: a line is a capture record with ``groundTruthData``, whose
``data`` has a line for each row of the request, empty where no label has come (container/drift/ground_truth/merged.py).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from plumbline.contract.names import Prefix
from plumbline.contract.prepared import PreparedHour

_UNSEEN = PreparedHour(0, 0)


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
        hours = self._hours(_moment(fresh_from), _moment(fresh_until)) if enough > 0 else ()
        return self._labelled(chain.from_iterable(objects for _, objects in hours), enough)

    def count_new(self, fresh_from: str, fresh_until: str, enough: int, seen: Mapping[str, PreparedHour]) -> int:
        """Return the number of rows whose label came after a run had read the captures, newest first.

        Hours of as many bytes as `seen` says are unchanged and not read again: files of an hour only ever grow by
        labelled records.

        Parameters
        ----------
        seen
            What the run read, by hour as ``yyyy/mm/dd/hh``.
        """
        n_new = 0
        for hour, objects in self._hours(_moment(fresh_from), _moment(fresh_until)) if enough > 0 else ():
            before = seen.get(f"{hour:%Y/%m/%d/%H}", _UNSEEN)
            if sum(entry["Size"] for entry in objects) != before.n_bytes:
                n_new += max(0, self._labelled(objects, before.n_labelled + enough - n_new) - before.n_labelled)
            if n_new >= enough:
                return enough
        return n_new

    def _labelled(self, objects: Iterable[Mapping[str, Any]], enough: int) -> int:
        """Return the number of labelled rows of some objects; `enough` as soon as there are so many."""
        total = 0
        for entry in objects:
            body = self._s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"]
            try:
                for line in body.iter_lines():
                    total += labelled_rows(line)
                    if total >= enough:
                        return enough
            finally:
                body.close()
        return total

    def _hours(self, first: datetime, until: datetime) -> Iterator[tuple[datetime, list[Mapping[str, Any]]]]:
        """Yield the hours that have objects, newest first, each with those of all variants: a listing for each day."""
        variants = list(self._variants())
        day = until - timedelta(microseconds=1)
        while day.date() >= first.date():
            found: dict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
            for variant in variants:
                folder = f"{variant}{day:%Y/%m/%d}/"
                for entry in self._below(folder):
                    hour = _hour_of(entry["Key"], folder, day)
                    if first <= hour < until:
                        found[hour].append(entry)
            yield from sorted(found.items(), reverse=True)
            day -= timedelta(days=1)

    def _variants(self) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        prefix = f"{Prefix.MERGED}/{self._endpoint}/"
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"]

    def _below(self, folder: str) -> Iterator[Mapping[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=folder):
            for entry in page.get("Contents", ()):
                if entry["Key"].endswith(".jsonl"):
                    yield entry


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

"""A captured hour with everything that could tell two ways of reading it apart."""

import gzip
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.local_account import ROOT

ENDPOINT = "census"
HOUR = "2026/11/22/12"
HOUR_BEFORE = "2026/11/22/11"
START, END = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"
TARGET = "income"
BASELINE = ROOT / "starter" / "baseline"
N_FILES = 6
ROWS_PER_FILE = 120


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")


def window() -> dict[str, bytes]:
    """Return the capture files of an endpoint by their names below it: variant, hour, file.

    Two variants; events captured again in other files; cells that are no numbers; records that are broken, of the
    hour before, or of another shape; a compressed file; more distinct values than one task sees.
    """
    rows = (ROOT / "starter" / "data" / "test.csv").read_text(encoding="utf-8").splitlines()[1:]
    files = {}
    for number in range(N_FILES):
        first = number * ROWS_PER_FILE
        lines = [_line(first + place, row) for place, row in enumerate(rows[first : first + ROWS_PER_FILE])]
        lines[7:7] = ["{broken", "", _record("event-of-no-time", rows[0], time="yesterday")]
        # The same events as in the file before, some of them with other content.
        lines += [_line(max(first - 5, 0) + place, rows[first + place]) for place in range(5)]
        variant = "BA"[number // (N_FILES // 2)]
        files[f"{variant}/{HOUR}/{number:02d}-30-000-{number}.jsonl"] = "\n".join(lines).encode()
    late = [_record(f"late-{n}", rows[-n], time=time) for n, time in ((1, "2026-11-22T11:59:59Z"), (2, START))]
    files[f"A/{HOUR_BEFORE}/59-58-000-late.jsonl"] = "\n".join(late).encode() + b"\n"
    files[f"A/{HOUR}/59-00-000-compressed.jsonl"] = gzip.compress(files[f"A/{HOUR}/04-30-000-4.jsonl"], mtime=0)
    return files


def write_window(folder: Path) -> Path:
    """Write the window below a folder, and return it."""
    for name, content in window().items():
        file = folder / ENDPOINT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def _line(event: int, row: str) -> str:
    """Return a record; one in 17 has an unreadable age, one in 50 a field too few."""
    fields = row.split(",")[:-1]
    if event % 17 == 0:
        fields[0] = ("old", "1e400", "")[event % 3]
    return _record(f"event-{event}", ",".join(fields[event % 50 == 0 :]), event=event)


def _record(event_id: str, row: str, *, time: str = "2026-11-22T12:30:00Z", event: int = 1) -> str:
    sides = {
        "endpointInput": (row.rsplit(",", 1)[0] if row.endswith("K") else row),
        "endpointOutput": f"0.{event:03d}\n",
    }
    document: Mapping[str, Any] = {
        "captureData": {
            name: {"observedContentType": "text/csv", "mode": name[8:].upper(), "data": data, "encoding": "CSV"}
            for name, data in sides.items()
        },
        "eventMetadata": {"eventId": event_id, "inferenceTime": time},
        "eventVersion": "0",
    }
    return json.dumps(document)

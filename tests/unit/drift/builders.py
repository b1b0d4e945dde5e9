"""Capture records, folders and reports for the tests of the container's edges."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from plumbline.contract.records import FeatureType, WindowBounds
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.read.capture import count_folder, count_window, plan_of
from plumbline.drift.reference.baseline import Baseline, save
from plumbline.drift.reference.csv_inputs import ReferenceFiles

AGE = FeatureSpec("age", FeatureType.NUMERIC)
WORK = FeatureSpec("workclass", FeatureType.CATEGORICAL)
HOURS = FeatureSpec("hours", FeatureType.NUMERIC)
SPECS = (AGE, WORK, HOURS)

Side = Mapping[str, Any]


def side(data: object, encoding: object = "CSV", content_type: str | None = "text/csv") -> dict[str, Any]:
    return {"observedContentType": content_type, "mode": "INPUT", "data": data, "encoding": encoding}


def record(
    request: Side | str | None = "41,Private,40",
    response: Side | str | None = "0.25\n",
    *,
    event_id: object = None,
    time: object = "2026-11-22T12:30:00Z",
) -> dict[str, Any]:
    """One capture record as SageMaker writes it; a string stands for a CSV side, None for an absent one."""
    sides = {"endpointInput": request, "endpointOutput": response}
    return {
        "captureData": {
            name: side(content) if isinstance(content, str) else content
            for name, content in sides.items()
            if content is not None
        },
        "eventMetadata": {"eventId": event_id, "inferenceTime": time} if event_id else {"inferenceTime": time},
        "eventVersion": "0",
    }


def write_capture(
    folder: Path, records: Iterable[Mapping[str, Any] | bytes], name: str = "ep/AllTraffic/2026/11/22/12/a.jsonl"
) -> Path:
    """Write one capture file, a line per record (bytes as they are), and return the folder."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [entry if isinstance(entry, bytes) else json.dumps(entry).encode() for entry in records]
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def read_window(folder: Path, baseline: Baseline, bounds: WindowBounds, **choices: Any) -> WindowCounts:
    return count_window(partial(count_folder, folder), plan_of(baseline, bounds, **choices))


def learn_baseline(
    *, train: Path, test: Path | None, predictions: Path | None, target_label: str | None, output: Path, **more: Any
) -> None:
    files = ReferenceFiles(train=train, test=test, predictions=predictions, target_label=target_label, **more)
    save(files.learn(), output)

"""Captured records with their labels as files, in the format and the layout of SageMaker's merge jobs.

``{endpoint}/{variant}/yyyy/mm/dd/hh/part-00000.jsonl``, by the hour of the inference, with the minute and second at
which the window begins in the last part: the same records and labels give the same bytes. Source: SageMaker Developer
Guide, "Ingest ground truth labels and merge them with predictions".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from plumbline.contract.records import WindowBounds
from plumbline.drift.data.times import hour_folder, parse_time
from plumbline.drift.ground_truth.join import JoinedWindow
from plumbline.drift.ground_truth.labels import NO_LABEL, Classes, Codes
from plumbline.drift.read.kernel.plan import variant_of
from plumbline.drift.read.kernel.records import Block, blocks

_ONLY_VARIANT = "AllTraffic"
"""SageMaker's own name for the variant of an endpoint that names none."""
_NO_TIME = "no-time"
_ENCODER = msgspec.json.Encoder(order="sorted")


def write_merged(
    folder: Path, files: Mapping[str, Path], window: JoinedWindow, classes: Classes, endpoint: str
) -> list[Path]:
    """Write the window's labelled records below `folder`, and return the files.

    Parameters
    ----------
    files
        The capture files by name.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    """
    part = _part(window.bounds)
    with ExitStack() as opened:
        handles: dict[Path, BinaryIO] = {}
        for name, labelled in window.matches.items():
            variant = variant_of(name) or _ONLY_VARIANT
            for record, codes in _records(files[name], dict(labelled)):
                path = folder / endpoint / variant / _hour(record) / part
                if path not in handles:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    handles[path] = opened.enter_context(path.open("wb"))
                handles[path].write(_line(record, codes, classes))
    return sorted(handles)


def _part(bounds: WindowBounds) -> str:
    # Windows that begin within an hour must not overwrite each other.
    start = "0000" if bounds.start is None else f"{parse_time(bounds.start):%M%S}"
    return f"part-{start}0.jsonl"


def _records(path: Path, labelled: Mapping[int, Codes]) -> Iterator[tuple[dict[str, Any], Codes]]:
    for block in blocks(path):
        if isinstance(block, Block):
            for number, line in block.numbered():
                # A block ends with an empty text that has the number of the next block's first line.
                if line and number in labelled:
                    yield _read(line), labelled[number]


def _read(line: bytes) -> dict[str, Any]:
    """Return a record that was read before; what Python reads and msgspec does not are byte order marks and 1e400."""
    try:
        record: dict[str, Any] = msgspec.json.decode(line)
    except ValueError:
        record = json.loads(line.decode("utf-8-sig"))
    return record


def _hour(record: Mapping[str, Any]) -> str:
    time = record["eventMetadata"].get("inferenceTime")
    return _hour_of(time) if isinstance(time, str) else _NO_TIME


@lru_cache(maxsize=4096)
def _hour_of(time: str) -> str:
    try:
        return hour_folder(parse_time(time))
    except ValueError:
        return _NO_TIME


def _line(record: Mapping[str, Any], codes: Sequence[int], classes: Classes) -> bytes:
    data = "\n".join("" if code == NO_LABEL else classes.labels[code] for code in codes)
    merged = {**record, "groundTruthData": {"data": data, "encoding": "CSV"}}
    try:
        return _ENCODER.encode(merged) + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair in a place that no row needs
        return json.dumps(merged, sort_keys=True, separators=(",", ":")).encode() + b"\n"

"""Captured records with their labels as files, in the format and the layout of SageMaker's merge jobs.

``{endpoint}/{variant}/yyyy/mm/dd/hh/part-00000.jsonl``, by the hour of the inference, with the minute and second at
which the window begins in the last part: the same records and labels give the same bytes. Source: SageMaker Developer
Guide, "Ingest ground truth labels and merge them with predictions".
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract.records import WindowBounds
from drift.ground_truth.classes import NO_LABEL, Classes
from drift.ground_truth.join import JoinedWindow
from drift.ground_truth.labels import Codes
from drift.kernel.lines import Block, blocks
from drift.kernel.plan import variant_of
from drift.times import hour_folder, parse_time

_ONLY_VARIANT = "AllTraffic"
"""SageMaker's own name for the variant of an endpoint that names none."""
_NO_TIME = "no-time"


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
    lines: dict[Path, list[str]] = defaultdict(list)
    part = _part(window.bounds)
    for name, labelled in window.matches.items():
        variant = variant_of(name) or _ONLY_VARIANT
        for record, codes in _records(files[name], dict(labelled)):
            lines[folder / endpoint / variant / _hour(record) / part].append(_line(record, codes, classes))
    for path, texts in lines.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(texts), encoding="utf-8")
    return sorted(lines)


def _part(bounds: WindowBounds) -> str:
    # Windows that begin within an hour must not overwrite each other.
    start = "0000" if bounds.start is None else f"{parse_time(bounds.start):%M%S}"
    return f"part-{start}0.jsonl"


def _records(path: Path, labelled: Mapping[int, Codes]) -> Iterator[tuple[dict[str, Any], Codes]]:
    for block in blocks(path):
        if isinstance(block, Block):
            for number, line in block.numbered():
                if number in labelled:
                    yield json.loads(line.decode("utf-8-sig")), labelled[number]


def _hour(record: Mapping[str, Any]) -> str:
    try:
        return hour_folder(parse_time(str(record["eventMetadata"]["inferenceTime"])))
    except (KeyError, ValueError):
        return _NO_TIME


def _line(record: Mapping[str, Any], codes: Sequence[int], classes: Classes) -> str:
    data = "\n".join("" if code == NO_LABEL else classes.labels[code] for code in codes)
    merged = {**record, "groundTruthData": {"data": data, "encoding": "CSV"}}
    return json.dumps(merged, sort_keys=True, separators=(",", ":")) + "\n"

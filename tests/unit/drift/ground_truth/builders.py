"""Labels, captures and populations for the tests of ground truth."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.ground_truth.measures import ScoredCounts

HOUR = "2026/11/22/14"


def label(event_id: object, data: object, encoding: str = "CSV") -> dict[str, Any]:
    """One ground-truth record as SageMaker's guide has it."""
    return {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": event_id},
        "eventVersion": "0",
    }


def write_labels(folder: Path, records: Sequence[Mapping[str, Any] | bytes], name: str = f"{HOUR}/a.jsonl") -> Path:
    """Write one label file, a line per record (bytes as they are), and return the folder."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def scored(probabilities: NDArray[np.float64], positive: NDArray[np.bool_], design_effect: float = 1.0) -> ScoredCounts:
    return ScoredCounts.of(
        NumericCounts.of(probabilities[~positive]), NumericCounts.of(probabilities[positive]), design_effect
    )

"""Merged records, folders of the pipeline's jobs and small models for the tests."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from train import parse_hyperparameters, train

from plumbline.contract.retraining_jobs import JobInput, JobOutput, job_folder
from plumbline.data.rows import LabelledRows
from plumbline.drift.settings.platform import Platform
from tests.unit.drift.builders import record

TARGET = "income"
HEADER = ("age", "workclass", "hours")
START, END = "2026-11-22T10:00:00Z", "2026-11-22T14:00:00Z"


def platform(root: Path) -> Platform:
    return Platform(ml_root=root, endpoint=None, publish=False, region=None)


def folder(root: Path, which: JobInput | JobOutput) -> Path:
    return Path(job_folder(which, str(root)))


def write_rows(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = (*HEADER, TARGET)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


def read_rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return [*csv.reader(stream)]


def merged(request: Any, labels: str, *, event: str, time: str, inference_id: str | None = None) -> dict[str, Any]:
    """One captured record joined with its labels, one line of text for each row."""
    captured = record(request, event_id=event, time=time)
    if inference_id:
        captured["eventMetadata"]["inferenceId"] = inference_id
    return {**captured, "groundTruthData": {"data": labels, "encoding": "CSV"}}


def write_merged(root: Path, records: Iterable[dict[str, Any] | str], part: str = "10/part-00000.jsonl") -> Path:
    """Write a file of the endpoint's merged records below `root`, texts as they are, and return `root`."""
    file = root / "ep" / "AllTraffic" / "2026" / "11" / "22" / part
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
    file.write_text("".join(line + "\n" for line in lines))
    return root


def trained_model(root: Path, rows: LabelledRows, *arguments: str) -> Path:
    """Train on the rows, and return the folder of the model."""
    for channel in ("train", "test"):
        rows.write_csv(root / channel / "rows.csv", TARGET)
    variables = {"SM_CHANNEL_TRAIN": str(root / "train"), "SM_CHANNEL_TEST": str(root / "test")}
    variables |= {"SM_MODEL_DIR": str(root / "model"), "SM_OUTPUT_DATA_DIR": str(root / "output")}
    train(parse_hyperparameters(["--target_label", TARGET, "--nthread", "1", *arguments]), variables)
    return root / "model"

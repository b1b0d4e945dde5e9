"""Capture files as their users read them: `json.loads` line by line, `csv`, then a data frame."""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

TARGET = "income"


@dataclass(frozen=True)
class Paths:
    """What each program is given: labelled training and test rows, the folder of the window, the file to write."""

    train: Path
    test: Path
    window: Path
    result: Path

    @classmethod
    def of_command_line(cls) -> "Paths":
        """Return the four arguments."""
        return cls(*map(Path, sys.argv[1:]))


def read_reference(file: Path) -> pd.DataFrame:
    """Return the training rows without the target; `?` is a category like any other."""
    return pd.read_csv(file).drop(columns=TARGET)


def read_both(paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the reference, and the rows of all capture files with the reference's columns and types."""
    reference = read_reference(paths.train)
    rows: list[list[str]] = []
    for file in sorted(paths.window.rglob("*.jsonl")):
        with file.open() as stream:
            for line in stream:
                payload = json.loads(line)["captureData"]["endpointInput"]["data"]
                rows.extend(csv.reader(payload.splitlines()))
    return reference, pd.DataFrame(rows, columns=reference.columns).astype(reference.dtypes.to_dict())


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold numbers."""
    return list(frame.select_dtypes("number").columns)


def write_result(paths: Paths, window: pd.DataFrame, drifted: list[str]) -> None:
    """Write how many rows were compared and which features drifted."""
    paths.result.write_text(json.dumps({"rows": len(window), "drifted": drifted}))

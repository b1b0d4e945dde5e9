"""Evidently's data drift preset with its defaults, window by window, against the training rows.

Arguments: the training rows, the windows one after the other, the rows of a window; an answer on standard output.
"""

import json
import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

SHARE = 0.5
"""Evidently's default: the dataset drifts when at least this share of its columns does."""


def main() -> None:
    """Answer with one entry per window: alarms by name."""
    train, windows = (pd.read_csv(path) for path in sys.argv[1:3])
    n_rows = int(sys.argv[3])
    numbers = [name for name in train.select_dtypes("number") if name in windows.select_dtypes("number")]
    others = [name for name in train if name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=others)
    for frame in (train, windows):
        frame[others] = frame[others].astype("string").fillna("").astype(object)
    reference = Dataset.from_pandas(train, data_definition=definition)
    answers = []
    for first in range(0, len(windows), n_rows):
        current = Dataset.from_pandas(windows.iloc[first : first + n_rows], data_definition=definition)
        drifted = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"][0]["value"]
        answers.append(
            {"alarms": {"any column": drifted["count"] > 0, "half of the columns": drifted["share"] >= SHARE}}
        )
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()

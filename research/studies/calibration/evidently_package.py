"""Scores of given columns by the Evidently package. Runs in Evidently's own environment and imports nothing of ours.

Reads one JSON document from standard input, a list of windows: column name to ``{"numeric", "reference", "window"}``.
Writes one: Evidently's version, and for each window its columns' methods and scores and how many of them drift.
"""

import json
import sys
from typing import Any


def main() -> None:
    """Answer on standard output."""
    from evidently import __version__

    windows = json.load(sys.stdin)
    json.dump({"version": __version__, "windows": [_judge(window) for window in windows]}, sys.stdout)


def _judge(window: dict[str, Any]) -> dict[str, Any]:
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(
        numerical_columns=[name for name, column in window.items() if column["numeric"]],
        categorical_columns=[name for name, column in window.items() if not column["numeric"]],
    )
    reference, current = (
        Dataset.from_pandas(
            pandas.DataFrame({name: column[side] for name, column in window.items()}), data_definition=definition
        )
        for side in ("reference", "window")
    )
    metrics = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    drifted, *columns = metrics
    return {
        "n_drifted": drifted["value"]["count"],
        "columns": {
            metric["config"]["column"]: {"method": metric["config"]["method"], "score": float(metric["value"])}
            for metric in columns
        },
    }


if __name__ == "__main__":
    main()

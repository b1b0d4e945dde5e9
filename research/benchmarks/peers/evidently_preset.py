"""Evidently's data drift preset with its defaults."""

from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from research.benchmarks.peers.frames import Paths, numeric_columns, read_both, write_result


def main() -> None:
    """Run the preset and write the columns that it calls drifted."""
    paths = Paths.of_command_line()
    reference, window = read_both(paths)
    numbers = numeric_columns(reference)
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[name for name in reference if name not in numbers]
    )
    snapshot = Report([DataDriftPreset()], include_tests=True).run(
        Dataset.from_pandas(window, data_definition=definition),
        Dataset.from_pandas(reference, data_definition=definition),
    )
    document = snapshot.dict()
    write_result(paths, window, [test["name"] for test in document.get("tests", []) if test["status"] == "FAIL"])


if __name__ == "__main__":
    main()

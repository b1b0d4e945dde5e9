"""A whylogs profile of each side, and whylogs' drift scores between the two."""

import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

from research.benchmarks.peers.frames import Paths, read_both, write_result


def main() -> None:
    """Profile both sides and write the columns that are called drifted."""
    paths = Paths.of_command_line()
    reference, window = read_both(paths)
    scores = calculate_drift_scores(
        target_view=whylogs.log(window).view(),
        reference_view=whylogs.log(reference).view(),
        with_thresholds=True,
    )
    write_result(
        paths, window, [name for name, score in scores.items() if score and score["drift_category"] == "DRIFT"]
    )


if __name__ == "__main__":
    main()

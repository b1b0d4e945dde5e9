"""alibi-detect's TabularDrift: chi-square and Kolmogorov-Smirnov with Bonferroni's correction."""

import numpy as np
import pandas as pd
from alibi_detect.cd import TabularDrift

from research.benchmarks.peers.frames import Paths, numeric_columns, read_both, write_result


def encode(frame: pd.DataFrame, categories: dict[str, list[str]]) -> np.ndarray:
    """Return an array of shape (n_rows, n_columns) with each category as its number."""
    columns = {
        name: pd.Categorical(frame[name], categories[name]).codes if name in categories else frame[name]
        for name in frame
    }
    return np.asarray(pd.DataFrame(columns), dtype=np.float32)


def main() -> None:
    """Fit on the reference, predict the window, write the columns that are called drifted."""
    paths = Paths.of_command_line()
    reference, window = read_both(paths)
    numbers = numeric_columns(reference)
    categories = {name: sorted(reference[name].unique()) for name in reference if name not in numbers}
    positions = {position: None for position, name in enumerate(reference) if name in categories}
    detector = TabularDrift(encode(reference, categories), p_val=0.05, categories_per_feature=positions)
    drifted = detector.predict(encode(window, categories), drift_type="feature")["data"]["is_drift"]
    write_result(paths, window, [name for name, is_drift in zip(reference, drifted, strict=True) if is_drift])


if __name__ == "__main__":
    main()

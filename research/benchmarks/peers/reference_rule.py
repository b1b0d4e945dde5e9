"""The algorithm of AWS's bring-your-own-container example, written anew from what it does.

Each capture file's payloads become one CSV text for pandas. A feature with fewer than 50 distinct training values is
categorical. Per feature: chi-square or Kolmogorov-Smirnov, the latter on z-scores and twice more for missing values;
the drift score and the Jensen-Shannon distance over the labels or deciles that both sides have; the Wasserstein
distance. Then an IsolationForest of the positive test rows scores the window. Two things differ, without which it ends
in an error on today's libraries: expected counts add up to the observed ones, and the contamination is `auto`.
"""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chisquare, ks_2samp, wasserstein_distance
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import LabelEncoder

from research.benchmarks.peers.frames import TARGET, Paths, read_reference, write_result

ALPHA = 0.05
POSITIVE = ">50K"


def read_window(folder: Path, names: list[str]) -> pd.DataFrame:
    """Return the rows of all capture files, a file at a time."""
    frames = []
    for file in folder.rglob("*.jsonl"):
        payloads = [json.loads(line)["captureData"]["endpointInput"]["data"] for line in file.read_text().splitlines()]
        frames.append(pd.read_csv(io.StringIO("\n".join(payloads)), names=names))
    return pd.concat(frames)


def common_shares(reference: pd.Series, window: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of the labels that both sides have."""
    before = reference.value_counts(normalize=True, dropna=False)
    after = window.value_counts(normalize=True, dropna=False)
    labels = before.index.intersection(after.index)
    return before[labels].to_numpy(), after[labels].to_numpy()


def distances(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Return the drift score in percent and the Jensen-Shannon distance."""
    return {
        "drift_score": 100 * float(np.abs(before - after).sum()),
        "jensen_shannon": float(jensenshannon(before, after)),
    }


def compare_numbers(reference: pd.Series, window: pd.Series) -> dict[str, float]:
    """Compare a numeric feature, cut at the reference's deciles."""
    edges = np.percentile(reference, np.linspace(0, 100, 11))
    shares = common_shares(*(pd.cut(side, edges, duplicates="drop") for side in (reference, window)))
    before, after = ((side - reference.mean()) / reference.std() for side in (reference, window))
    return {
        "p_value": float(ks_2samp(before, after).pvalue),
        "p_value_as_is": float(ks_2samp(reference, window).pvalue),
        "p_value_without_missing": float(ks_2samp(reference.dropna(), window.dropna()).pvalue),
        "wasserstein": float(wasserstein_distance(before, after)),
        **distances(*shares),
    }


def compare_labels(reference: pd.Series, window: pd.Series) -> dict[str, float]:
    """Compare a categorical feature over the common labels."""
    before, after = common_shares(reference, window)
    found, expected = (shares / shares.sum() * len(window) for shares in (after, before))
    return {"p_value": float(chisquare(found, expected).pvalue), **distances(before, after)}


def encode(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with labels as numbers, in the order that this frame has them."""
    return frame.apply(
        lambda column: column if pd.api.types.is_numeric_dtype(column) else LabelEncoder().fit_transform(column)
    )


def likeness(test: pd.DataFrame, window: pd.DataFrame) -> float:
    """Return the similarity of the window and the positive test rows by a forest, in percent."""
    positive = encode(test.drop(columns=TARGET))[test[TARGET] == POSITIVE]
    forest = IsolationForest(n_estimators=100, n_jobs=-1, max_samples=len(positive), random_state=123).fit(positive)
    expected = forest.score_samples(positive).mean()
    return float(100 - abs((forest.score_samples(encode(window)).mean() - expected) / expected) * 100)


def main() -> None:
    """Compare every feature, then the window as a whole."""
    paths = Paths.of_command_line()
    reference = read_reference(paths.train)
    window = read_window(paths.window, list(reference.columns))
    results = {}
    for name in reference:
        is_number = pd.api.types.is_numeric_dtype(reference[name]) and reference[name].nunique() >= 50
        results[name] = (compare_numbers if is_number else compare_labels)(reference[name], window[name])
    likeness(pd.read_csv(paths.test), window)
    write_result(paths, window, [name for name, result in results.items() if result["p_value"] < ALPHA])


if __name__ == "__main__":
    main()

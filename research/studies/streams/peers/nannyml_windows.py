"""NannyML's confidence-based estimate of the accuracy and its univariate drift, each window a chunk, by its defaults.

Arguments: the labelled test rows with `probability`, `predicted` and `label`, the windows likewise one after the other,
the rows of a window; an answer on standard output. Labels are 0 and 1.
"""

import contextlib
import json
import sys

import nannyml
import pandas as pd

ANSWERS = ["probability", "predicted", "label"]


def main() -> None:
    """Answer with one entry per window: the estimate with its interval, and alarms by name."""
    reference, windows = (pd.read_csv(path) for path in sys.argv[1:3])
    n_rows = int(sys.argv[3])
    with contextlib.redirect_stdout(sys.stderr):
        estimates, drifted = _accuracy(reference, windows, n_rows), _drift(reference, windows, n_rows)
    answers = [
        {
            "figure": [one["value"], one["lower_confidence_boundary"], one["upper_confidence_boundary"]],
            "alarms": {"estimated accuracy": bool(one["alert"]), "any column": bool(any_column)},
        }
        for one, any_column in zip(estimates, drifted, strict=True)
    ]
    json.dump(answers, sys.stdout)


def _accuracy(reference: pd.DataFrame, windows: pd.DataFrame, n_rows: int) -> list[dict[str, float]]:
    estimator = nannyml.CBPE(
        metrics=["accuracy"],
        y_pred_proba="probability",
        y_pred="predicted",
        y_true="label",
        problem_type="classification_binary",
        chunk_size=n_rows,
    ).fit(reference)
    found = estimator.estimate(windows.drop(columns="label")).filter(period="analysis").to_df()["accuracy"]
    return [{name: row[name] for name in found.columns} for _, row in found.iterrows()]


def _drift(reference: pd.DataFrame, windows: pd.DataFrame, n_rows: int) -> list[bool]:
    names = [name for name in reference if name not in ANSWERS]
    numbers = reference[names].select_dtypes("number").columns
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=[name for name in names if name not in numbers], chunk_size=n_rows
    ).fit(reference)
    found = calculator.calculate(windows).filter(period="analysis").to_df()
    return list(found.xs("alert", axis=1, level=2).any(axis=1))


if __name__ == "__main__":
    main()

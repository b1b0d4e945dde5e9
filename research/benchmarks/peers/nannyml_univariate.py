"""NannyML's univariate drift calculator with its defaults."""

import nannyml

from research.benchmarks.peers.frames import Paths, numeric_columns, read_both, write_result


def main() -> None:
    """Fit on the reference, calculate the window, write the columns with an alert in any chunk."""
    paths = Paths.of_command_line()
    reference, window = read_both(paths)
    numbers = numeric_columns(reference)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        treat_as_categorical=[name for name in reference if name not in numbers],
    )
    calculator.fit(reference)
    results = calculator.calculate(window).filter(period="analysis").to_df()
    alerts = results.xs("alert", axis=1, level=2).any()
    write_result(paths, window, sorted({name for name, _ in alerts[alerts].index}))


if __name__ == "__main__":
    main()

"""The gate's outcome as a table for people."""

from contract.evaluation import Comparison, Evaluation

_HEADER = ("", "rows", "champion", "challenger", "difference", "at least", "at most", "allowed", "")
_OUTCOMES = {True: "passed", False: "failed", None: "not judged"}


def evaluation_text(evaluation: Evaluation) -> str:
    """Return the table: shares in percent, differences in points with their one-sided 95 % bounds."""
    compared = (evaluation.holdout, evaluation.test, *evaluation.slices)
    lines = [_HEADER, *map(_cells, compared)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(_padded(line, widths)).rstrip() for line in lines]
    verdict = "The challenger is accepted." if evaluation.accepted else "The challenger is rejected."
    return "\n".join([verdict, *(f"- {reason}" for reason in evaluation.reasons), "", *table]) + "\n"


def _cells(one: Comparison) -> tuple[str, ...]:
    shares = (one.champion, one.challenger)
    points = (one.difference, one.lower, one.upper)
    return (
        one.name,
        str(one.n_rows),
        *("-" if share is None else f"{100 * share:.1f} %" for share in shares),
        *("-" if value is None else f"{100 * value:+.1f}" for value in points),
        f"{-100 * one.bound:+.1f}",
        _OUTCOMES[one.passed],
    )


def _padded(line: tuple[str, ...], widths: list[int]) -> list[str]:
    first, *numbers, last = line
    return [
        first.ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True)),
        last,
    ]

"""Pages with the results of a study between two markers, and the rates that they show."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from scipy.stats import beta

LEVEL = 0.95
BEGIN, END = "<!-- study: begin -->", "<!-- study: end -->"


def replace_results(page: Path, body: str) -> None:
    """Put the results between the markers of the page.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} must hold {BEGIN} and {END}, got no such lines; add them where the results belong")
    page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])


def interval(n_events: int, n_trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact binomial interval of a rate, 0 to 1.

    References
    ----------
    C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial" (1934).

    Examples
    --------
    >>> tuple(round(bound, 4) for bound in interval(0, 100))
    (0.0, 0.0362)
    """
    tail = (1 - level) / 2
    lower = float(beta.ppf(tail, n_events, n_trials - n_events + 1)) if n_events else 0.0
    upper = float(beta.ppf(1 - tail, n_events + 1, n_trials - n_events)) if n_events < n_trials else 1.0
    return lower, upper


def rate(n_events: int, n_trials: int) -> str:
    """Return a rate in percent with its exact binomial interval."""
    lower, upper = interval(n_events, n_trials)
    return f"{percent(n_events, n_trials)} % ({100 * lower:.1f} to {100 * upper:.1f})"


def percent(n_events: int, n_trials: int) -> str:
    """Return a rate in percent."""
    return f"{100 * n_events / n_trials:.1f}"

"""Pages with the results of a study between two markers, and the rates that they show."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from scipy.stats import beta

LEVEL = 0.95


def markers(name: str) -> tuple[str, str]:
    """Return the lines between which a page has the results of one study."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


BEGIN, END = markers("study")


def replace_results(page: Path, body: str, name: str = "study") -> None:
    """Put the results between the markers of the page that are named so.

    Raises
    ------
    ValueError
        If the page lacks its markers.
    """
    first, last = markers(name)
    before, begin, rest = page.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"{page} must hold {first} and {last}, got no such lines; add them where the results belong")
    page.write_text(f"{before}{first}\n{body}\n{last}{after}", encoding="utf-8")


def draft_of(page: Path, folder: Path) -> Path:
    """Return a copy of a page in a folder: the results of a quick run are not to take the place of a full one's."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / page.name
    draft.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    return draft


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

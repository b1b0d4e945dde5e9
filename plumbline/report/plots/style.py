"""Style of the plots: one palette, one set of defaults, the same bytes for the same data.

Hues are Okabe and Ito's (2008, Color Universal Design): distinguished with every common colour vision. Each constant
is also a variable of the page's style sheet, so that inline plots follow the reader's light or dark mode.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.report.timeline import Slot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from plumbline.report.models import Change

INK = "#1b1f24"
MUTED = "#5b6470"
GRID = "#dfe3e8"
PAPER = "#ffffff"
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#00795a"
PURPLE = "#a6527e"

VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    VERMILION: "vermilion",
    GREEN: "green",
    PURPLE: "purple",
}
"""Colour to the name of its CSS variable."""

WIDTH_INCHES = 11.0
MAX_TICKS = 12
_NAME_LENGTH = 26

_DEFAULTS: dict[Any, Any] = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.h_pad": 0.05,
    "savefig.dpi": 144,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "hatch.color": MUTED,
    "hatch.linewidth": 0.4,
    "svg.fonttype": "path",
    # Names come from the data: a dollar sign in one is no formula.
    "text.parse_math": False,
}


@contextmanager
def plotting(name: str) -> Iterator[None]:
    """Draw without a display, with our defaults, and with ids in SVG files that depend on nothing but `name`."""
    import matplotlib
    import matplotlib.style

    matplotlib.use("Agg")
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.style.use("default")
        matplotlib.rcParams.update({**_DEFAULTS, "svg.hashsalt": name})
        # A name in a script that the font lacks is drawn as boxes; the page's tables have it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def plain(text: str, length: int = _NAME_LENGTH) -> str:
    """Return a name from the data as one short line that can be drawn."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def mark_time_axis(axes: "Axes", slots: Sequence[Slot], *, ticks: int = MAX_TICKS) -> None:
    """Label the windows on x: hour of the day, and the date where it changes."""
    step = -(-len(slots) // ticks)
    positions = list(range(0, len(slots), step))
    labels = []
    day = None
    for position in positions:
        start = slots[position].start
        labels.append(f"{start:%H:%M}" if start else str(position + 1))
        if start and start.date() != day:
            day = start.date()
            labels[-1] += f"\n{day:%b} {day.day}"
    axes.set_xticks(positions, labels)
    axes.set_xlim(-0.5, len(slots) - 0.5)


def mark_changes(axes: "Axes", changes: Sequence["Change"], *, named: bool = False) -> None:
    """Draw a line where another model took over, with its name where there is room for one."""
    for change in changes:
        axes.axvline(change.place, color=GREEN, linewidth=1.6, zorder=2)
        if named:
            axes.annotate(
                plain(change.text), (change.place, 1), xycoords=axes.get_xaxis_transform(), xytext=(4, -3),
                textcoords="offset points", ha="left", va="top", fontsize=9, fontweight="bold", color=GREEN,
            )  # fmt: skip


def time_axis_title(slots: Sequence[Slot]) -> str:
    """Return what x means."""
    return "start of the window (UTC)" if any(slot.start for slot in slots) else "window, in the order of the files"


_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def write_png(figure: "Figure", path: Path) -> None:
    """Write the figure without the program's name, so that equal data gives equal bytes."""
    figure.savefig(path, format="png", metadata={"Software": None})


def inline_svg(figure: "Figure", name: str, description: str) -> str:
    """Return the figure as an ``<svg>`` element whose ids start with `name`; `description` is safe for HTML."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\sid=")', rf"\g<1>{name}-", text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    view_box = re.search(r'viewBox="[^"]*"', text)
    opening = f'<svg class="plot" {view_box[0] if view_box else ""} role="img" aria-label="{description}">'
    return opening + text[text.index(">") + 1 :]

"""A figure as PNG file and as inline SVG that follows the page's colours."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.report.style import VARIABLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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

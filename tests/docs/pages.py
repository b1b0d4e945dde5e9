"""The committed pages as data: fenced blocks, tables below a heading, links, anchors."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CLI = ROOT / "docs" / "cli.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DEPLOYING = ROOT / "docs" / "deploying.md"
DRIFT_REPORT = ROOT / "docs" / "drift_report.md"
FIRST_MODEL = ROOT / "docs" / "first_model.md"
FORMATS = ROOT / "docs" / "formats.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
METRICS = ROOT / "docs" / "metrics.md"
STATISTICS = ROOT / "docs" / "statistics.md"
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
UPGRADING = ROOT / "docs" / "upgrading.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language, without the indentation of a list item."""
    return [
        re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        for indent, tag, body in _FENCE.findall(page.read_text())
        if tag == language
    ]


def commands(page: Path) -> list[str]:
    """Return the lines of all shell blocks, with continued lines joined."""
    return [line for block in blocks(page, "sh") for line in re.sub(r"\\\n\s*", "", block).splitlines()]


def section(page: Path, title: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    text = page.read_text()
    heading = re.search(rf"^(#{{1,3}}) {re.escape(title)}\n", text, re.MULTILINE)
    assert heading, title
    body = text[heading.end() :]
    end = re.search(rf"^#{{1,{len(heading[1])}}} ", _without_code(body), re.MULTILINE)
    return body[: end.start()] if end else body


def _without_code(text: str) -> str:
    """Return the text with its fenced blocks blanked: a comment in them is no heading."""
    return _FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row in `text`, headings and rules left out."""
    found = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    rules = [number for number, row in enumerate(found) if set("".join(row)) <= set("-")]
    return [row for number, row in enumerate(found) if number not in rules and number + 1 not in rules]


def codes(cells: list[str]) -> list[str]:
    """Return the first code span of each cell that has one."""
    return [match[1] for cell in cells if (match := re.match(r"`([^`]+)`", cell))]


def first_codes(text: str) -> list[str]:
    """Return the code span that opens each table row."""
    return codes([row[0] for row in rows(text)])


def anchors(page: Path) -> set[str]:
    """Return the page's headings as links name them."""
    text = _FENCE.sub("", page.read_text())
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[tuple[str, str]]:
    """Return (path, anchor) of each link that stays in the repository; either may be empty."""
    text = _FENCE.sub("", page.read_text())
    return [
        (path, anchor)
        for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text)
        if not path.startswith("http")
    ]

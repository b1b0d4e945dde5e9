from pathlib import Path

from research.benchmarks import page
from research.benchmarks.results import Results

_DOCS = Path(__file__).parents[4] / "docs"


def test_page_says_what_was_measured() -> None:
    results = Results.from_json((_DOCS / "benchmarks.json").read_text())
    assert (_DOCS / "benchmarks.md").read_text() == page.render(results)

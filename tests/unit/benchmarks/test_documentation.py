from pathlib import Path

from benchmarks import page
from benchmarks.results import Results

_DOCS = Path(__file__).parents[3] / "docs"


def test_page_says_what_was_measured() -> None:
    results = Results.from_json((_DOCS / "benchmarks.json").read_text())
    assert (_DOCS / "benchmarks.md").read_text() == page.render(results)

"""Each recipe of CONTRIBUTING.md is enough: a dummy is added in the files that it lists, and the related tests pass.

The change is made in a copy of the repository. An edit is keyed by the name of its file; the recipe has the path.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import CONTRIBUTING, ROOT, section

Edit = Callable[[str], str]


def after(anchor: str, text: str) -> Edit:
    """Return the edit that puts `text` behind the only place of `anchor`."""

    def edit(content: str) -> str:
        assert content.count(anchor) == 1, f"{anchor!r} stands {content.count(anchor)} times"
        return content.replace(anchor, anchor + text)

    return edit


def before(anchor: str, text: str) -> Edit:
    """Return the edit that puts `text` in front of the only place of `anchor`."""

    def edit(content: str) -> str:
        assert content.count(anchor) == 1, f"{anchor!r} stands {content.count(anchor)} times"
        return content.replace(anchor, text + anchor)

    return edit


def both(first: Edit, second: Edit) -> Edit:
    """Return the edit that makes two in one file."""
    return lambda content: second(first(content))


def at_the_end(text: str) -> Edit:
    """Return the edit that adds `text` to the end of a file."""
    return lambda content: content + text


def after_the_row(first_cell: str, row: str) -> Edit:
    """Return the edit that adds a row to a table, behind the one that opens with `first_cell`."""
    return lambda content: re.sub(rf"^(\| `{re.escape(first_cell)}` .*\n)", rf"\1{row}\n", content, flags=re.MULTILINE)


def one_more(pattern: str) -> Edit:
    """Return the edit that raises each number in `pattern`, which has one group for each of them."""

    def raised(match: re.Match[str]) -> str:
        return re.sub(r"\d+(?=,| at| for)", lambda number: str(int(number[0]) + 1), match[0])

    def edit(content: str) -> str:
        changed, n_found = re.subn(pattern, raised, content)
        assert n_found == 1, pattern
        return changed

    return edit


@dataclass(frozen=True)
class Recipe:
    """A dummy: its edits by file name, the tests that must pass, and a text that shows that they met the dummy.

    `max_files` is what such a change may touch; `snapshot` rewrites the template that the tests read; `name` stands for
    `<name>` in the paths of new files.
    """

    edits: Mapping[str, Edit]
    tests: tuple[str, ...]
    seen: str
    max_files: int
    snapshot: bool = False
    name: str = ""


HELP_PAGE = "from plumbline.cli import help_page; open('docs/cli.md', 'w').write(help_page())"
"""Stands for the new content of the page that `make docs` writes: it is run."""
DOCS = (
    "tests/docs/test_tables.py",
    "tests/docs/test_glossary.py",
    "tests/docs/test_texts.py::test_links_lead_somewhere",
)
SNAPSHOT = ("tests/snapshot", "--snapshot-update", "-k", "environment and prod and monitoring")

RECIPES = {
    "A statistic": Recipe(
        {
            "statistics.py": before(
                '    @property\n    def words(self) -> str:\n        """The measure',
                """    TOTAL_VARIATION_DISTANCE = (
        "total_variation_distance",
        EffectDeclaration(
            words="total variation distance",
            heading="total variation",
            unit="0 to 1",
            upper_end=1.0,
            default_threshold=0.15,
            digits=3,
        ),
    )

""",
            ),
            "<name>.py": lambda _: (
                '''"""Total variation distance."""

import numpy as np

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.statistics.cells import Cells, permutation_quantile
from plumbline.drift.statistics.declaration import EffectStatistic
from plumbline.drift.statistics.drift_score import drift_score


def total_variation(cells: Cells) -> float:
    """Return half of ``sum(|p - q|)``. No null. Range 0 to 1, larger is worse."""
    return drift_score(cells) / 200


def distances(p, q):
    """Return the distances of rows of shares."""
    return np.abs(p - q).sum(axis=-1) / 2


TOTAL_VARIATION = EffectStatistic(
    EffectMeasure.TOTAL_VARIATION_DISTANCE,
    lambda reference, window, cells: total_variation(cells),
    lambda reference, window, cells, seed: permutation_quantile(cells, distances, seed),
    lambda distance: (2 * distance) ** 2,
)
'''
            ),
            "registry.py": both(
                after("import kolmogorov_smirnov\n", "from plumbline.drift.statistics.total import TOTAL_VARIATION\n"),
                after("for one in (JENSEN_SHANNON", ", TOTAL_VARIATION"),
            ),
            "test_<name>.py": lambda _: (
                """import numpy as np

from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.total import total_variation


def test_dummy_statistic_is_half_of_the_differences() -> None:
    assert total_variation(Cells(np.array([92, 8]), np.array([40, 60]))) == 0.52
"""
            ),
            "statistics.md": after_the_row(
                "drift_score",
                "| `total_variation_distance` | labels or bins | 0 to 1 | high | none | `effect_threshold`, 0.15 | |",
            ),
            "cli.md": lambda _: HELP_PAGE,
        },
        (
            "tests/unit/drift/statistics/test_total.py",
            "tests/unit/drift/compare/test_features.py",
            "tests/unit/drift/settings/test_policy.py",
            "tests/unit/stacks/config/test_environment.py",
            "tests/contract/test_reports_match_schemas.py",
            "tests/docs/test_commands.py::test_command_line_page_is_the_help_of_every_command",
            *DOCS,
        ),
        "test_effect_measure_is_explained_as_it_is_declared[total_variation_distance]",
        6,
        name="total",
    ),
    "An alarm": Recipe(
        {
            "alarm_rules.py": before(
                "    # Alarms on the endpoint:",
                """    SEGMENTS = AlarmRule(
        name="segments",
        metric=Metric.DRIFTED_SEGMENTS,
        evaluation=m_of_n,
        missing=MissingDataPolicy.IGNORE,
        meaning="A segment of the traffic differs from the training data.",
        action="Read drift_report.json; no retraining starts.",
        graph=Graph.UNLABELLED_VERDICTS,
    )
""",
            ),
            "test_alarms.py": after(
                '    AlarmKind.MULTIVARIATE: (Metric.MULTIVARIATE_VERDICT, "ignore"),\n',
                '    AlarmKind.SEGMENTS: (Metric.DRIFTED_SEGMENTS, "ignore"),\n',
            ),
            "metrics.md": after_the_row(
                "plumbline-<env>-multivariate",
                "| `plumbline-<env>-segments` | `DriftedSegments` is 1 or more in M of the last N windows "
                "| ignore: the state stays | [Segments](runbook.md#segments) |",
            ),
            "runbook.md": at_the_end("\n## Segments\n\n**What it means.** A segment differs.\n"),
            "deploying.md": one_more(r"\d+ at 0\.10"),
        },
        ("tests/unit/stacks/constructs/alarms/test_alarms.py", *DOCS),
        "test_alarm_has_its_metric_and_states_what_missing_data_means[segments]",
        6,
        snapshot=True,
    ),
    "A metric": Recipe(
        {
            "names.py": after(
                '    RECORDS_READ = "RecordsRead"\n', '    WINDOW_ROWS = "WindowRows"\n    """Rows of the window."""\n'
            ),
            "metrics.py": after(
                "        (Metric.RECORDS_READ, records.read),\n", "        (Metric.WINDOW_ROWS, report.n_rows),\n"
            ),
            "test_metrics.py": after("        Metric.RECORDS_READ: 300,\n", "        Metric.WINDOW_ROWS: 290,\n"),
            "metrics.md": after_the_row("RecordsRead", "| `WindowRows` | rows of the window | no report |"),
            "deploying.md": one_more(r"\d+, and one for each feature; \d+ for the census data"),
        },
        ("tests/unit/drift/report/test_metrics.py", "tests/contract/test_container_metrics.py", *DOCS),
        "test_name_is_made_of_terms[WindowRows]",
        5,
    ),
    "A threshold": Recipe(
        {
            "thresholds.py": before(
                "    drifted_fraction: float | None = _row(",
                """    minimum_window_fraction: float = _row(
        float, "A window of a smaller fraction is not judged", default=0.25, allowed=FRACTION, unit="fraction"
    )
""",
            ),
            "verdict.py": at_the_end(
                "\n\ndef is_whole(fraction: float, policy: Policy) -> bool:\n"
                '    """Return whether the window is large enough."""\n'
                "    return fraction >= policy.minimum_window_fraction\n"
            ),
            "test_verdict.py": at_the_end(
                "\n\ndef test_dummy_threshold_decides() -> None:\n"
                "    from plumbline.drift.judge.verdict import is_whole\n\n"
                "    policy = Policy(minimum_window_fraction=0.5)\n"
                "    assert (is_whole(0.5, policy), is_whole(0.49, policy)) == (True, False)\n"
            ),
            "configuration.md": before(
                "| `thresholds.drifted_fraction` |",
                "| `thresholds.minimum_window_fraction` | A window of a smaller fraction is not judged; absent: 0.25 "
                "| above 0, below 1 | – | – | – |\n",
            ),
            "cli.md": lambda _: HELP_PAGE,
        },
        (
            "tests/unit/drift/judge/test_verdict.py",
            "tests/unit/drift/settings/test_run.py",
            "tests/unit/stacks/config/test_environment.py",
            "tests/contract/test_stacks_names.py",
            "tests/docs/test_commands.py::test_command_line_page_is_the_help_of_every_command",
            *DOCS,
        ),
        "test_name_is_made_of_terms[minimum_window_fraction]",
        8,
    ),
    "A report section": Recipe(
        {
            "model_behaviour.py": at_the_end(
                "\n\ndef dummy(timeline: Timeline) -> str:\n"
                '    """Return the number of windows."""\n'
                '    return f"<p>{len(timeline.reports)} windows</p>"\n'
            ),
            "page.py": lambda content: after("SECTIONS = (\n", '    PageSection("dummy", "Windows", dummy),\n')(
                content
            ).replace("import attribution, bias", "import attribution, bias, dummy"),
            "test_build.py": at_the_end(
                "\n\ndef test_dummy_section_is_shown(tmp_path: Path) -> None:\n"
                '    assert "1 windows" in Reader(made(tmp_path, report(0))).text\n'
            ),
        },
        ("tests/unit/report/plots/test_build.py", "-k", "dummy or written or unique"),
        "test_dummy_section_is_shown",
        6,
    ),
}


def listed(title: str) -> list[str]:
    """Return the paths of a recipe: the first code span of each numbered line."""
    return re.findall(r"^\d+\. `([^`]+)`", section(CONTRIBUTING, title), re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = ROOT / name, tmp_path / name
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return tmp_path


def test_every_recipe_is_tried() -> None:
    titles = re.findall(r"^### (.+)$", section(CONTRIBUTING, "How to add"), re.MULTILINE)
    assert titles == list(RECIPES)


def run_tests(folder: Path, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("title", RECIPES)
def test_recipe_is_enough(title: str, copy: Path) -> None:
    recipe, paths = RECIPES[title], listed(title)
    assert [Path(path).name for path in paths] == list(recipe.edits)
    assert len(paths) <= recipe.max_files
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    for path, edit in zip(paths, recipe.edits.values(), strict=True):
        file = copy / path.replace("<name>", recipe.name)
        content = file.read_text() if file.exists() else ""
        changed = edit(content)
        assert changed != content, path
        if changed == HELP_PAGE:
            subprocess.run([sys.executable, "-c", changed], cwd=copy, env=environment, check=True, capture_output=True)
        else:
            file.write_text(changed)

    if recipe.snapshot:
        run_tests(copy, SNAPSHOT)
    done = run_tests(copy, recipe.tests)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert recipe.seen in done.stdout

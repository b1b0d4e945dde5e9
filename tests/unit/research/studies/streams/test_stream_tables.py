from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.contract.verdicts import Verdict
from research.studies.pages import markers
from research.studies.streams import page, summary, tables
from research.studies.streams.outcomes import Bounded, PeerOutcome, StreamOutcome
from research.studies.streams.results import StreamStudy

HELD = StreamOutcome(
    stream="shop",
    n_rows=500,
    number=0,
    start=2_200,
    history=True,
    late=1,
    realised=0.80,
    reference=0.81,
    figure=Bounded(0.82, 0.78, 0.86),
    parts={"sampling": 0.03, "history": 0.01},
    drift=Verdict.NO_DRIFT,
    quality=Verdict.NO_DRIFT,
    concept=Verdict.NO_DRIFT,
)
FELL = replace(HELD, number=1, realised=0.75, drift=Verdict.DRIFT, quality=Verdict.DRIFT, concept=Verdict.DRIFT)
REFUSED = replace(
    HELD, number=2, figure=Bounded(), parts={}, refused="window_separable", withheld=Bounded(0.9, 0.85, 0.95)
)
RIVAL = PeerOutcome(
    tool="a rival", stream="shop", n_rows=500, number=0, realised=0.75, reference=0.81, alarms={"any": True}
)


def cells(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table's rows, without its header."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_windows_are_told_apart_by_their_loss() -> None:
    edge, almost = replace(HELD, realised=0.78), replace(HELD, realised=0.785)
    assert summary.fell([HELD, FELL, edge]) == [FELL, edge]
    assert summary.stands([HELD, FELL, almost]) == [HELD]
    assert summary.between([HELD, FELL, almost]) == [almost]


def test_coverage_counts_the_windows_that_are_not_refused() -> None:
    ((words, windows, estimated, holds, width, error, high),) = cells(tables.coverage([HELD, FELL, REFUSED], [RIVAL]))
    assert words == "**Plumbline**, labels one window late"
    assert (windows, estimated) == ("3", "66.7 % (2 of 3)")
    assert holds.startswith("50.0 % (1.3 to 98.7) of 2")
    assert (width, error, high) == ("4.0", "4.5", "100.0 % (1 of 1)")


def test_refusal_is_right_where_the_withheld_interval_would_have_missed() -> None:
    near = replace(REFUSED, withheld=Bounded(0.81, 0.78, 0.84))
    ((_, code, refused, rightly),) = cells(tables.refusals([HELD, FELL, REFUSED, near]))
    assert (code, refused, rightly) == ("`window_separable`", "50.0 % (2 of 4)", "50.0 % (1 of 2)")


def test_alarms_are_counted_by_loss_for_ours_and_for_others() -> None:
    rows = {(row[0], row[1]): row[2:] for row in cells(tables.alarms([HELD, FELL], [RIVAL]))}
    ours = "**Plumbline**, labels one window late"
    assert rows[ours, "drift of a feature"] == ["0.0 % (0 of 1)", "–", "100.0 % (1 of 1)"]
    assert rows[ours, "**starts work**"] == ["0.0 % (0 of 1)", "–", "100.0 % (1 of 1)"]
    assert rows["a rival", "any"] == ["–", "–", "100.0 % (1 of 1)"]
    assert (ours, "drift of whole rows") not in rows


def test_parts_of_the_half_width_are_means_over_estimated_windows() -> None:
    ((_, sampling, history, together),) = cells(tables.parts([HELD, FELL, REFUSED]))
    assert (sampling, history, together) == ("3.0", "1.0", "4.0")


def study(*outcomes: StreamOutcome) -> StreamStudy:
    return StreamStudy("a test", 1, {"Python": "3"}, 60.0, outcomes, (RIVAL,), ("metro",))


def test_results_survive_the_file(tmp_path: Path) -> None:
    found = study(HELD, FELL, REFUSED, replace(HELD, late=None))
    found.save(tmp_path / "streams.json")
    assert StreamStudy.load(tmp_path / "streams.json") == found


def test_a_run_of_one_mode_keeps_the_others_of_the_last_run() -> None:
    late, two, rival = replace(HELD, late=1), replace(HELD, late=2), replace(RIVAL, tool="another rival")
    last = study(late, two)
    again = replace(study(replace(late, realised=0.5)), others=(rival,), absent=())
    found = again.updating(last)
    assert found.outcomes == (two, replace(late, realised=0.5))
    assert found.others == (RIVAL, rival)
    assert found.absent == ("metro",)
    with pytest.raises(ValueError, match="must have the seed 2"):
        replace(again, seed=2).updating(last)


@pytest.mark.parametrize(("outcome", "said"), [(HELD, "met"), (FELL, "**not met**")])
def test_page_says_which_targets_are_met(tmp_path: Path, outcome: StreamOutcome, said: str) -> None:
    first, last = markers(page.MARKER)
    written = tmp_path / "page.md"
    written.write_text(f"# Page\n\n{first}\nfigures of before\n{last}\n\nafter\n")
    page.write(study(outcome), written)
    text = written.read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| the interval holds the truth, labels one")]
    assert row.endswith(f"| {said} |")
    assert "figures of before" not in text
    assert text.endswith(f"{last}\n\nafter\n")
    assert "Left out, as they were not to be had: metro." in text

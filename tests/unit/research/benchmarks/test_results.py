from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from research.benchmarks import page, plot
from research.benchmarks.page import targets
from research.benchmarks.results import NotRun, ProgramMeasurement, Results

_MILLION = 1_000_000


def _entry(program: str, records: int, seconds: float, **other: float | None) -> ProgramMeasurement:
    first_line = other.get("first_line_seconds", 0.25)
    return ProgramMeasurement(
        program=program,
        records=records,
        repetition=0,
        seconds=seconds,
        cpu_seconds=seconds,
        peak_bytes=int(other.get("peak_bytes") or 100_000_000),
        first_line_seconds=first_line,
    )


def _results(*measurements: ProgramMeasurement, not_run: Sequence[NotRun] = ()) -> Results:
    names = dict.fromkeys(entry.program for entry in measurements)
    return Results(
        command=".venv/bin/python -m benchmarks --sizes 10",
        machine={"processor": "Some | processor"},
        versions={name: {"numpy": "2.4.6"} for name in names},
        measurements=measurements,
        not_run=tuple(not_run),
    )


def test_time_is_the_median_of_the_repetitions() -> None:
    assert _results(*(_entry("plumbline", 10, s) for s in (1.0, 9.0, 2.0))).seconds("plumbline", 10) == 2.0


def test_what_was_not_measured_is_none() -> None:
    results = _results(_entry("plumbline", 10, 1.0))
    assert results.seconds("plumbline", 20) is None
    assert results.peak_bytes("nannyml", 10) is None
    assert results.ratio("nannyml", "plumbline", 10) is None


def test_ratio_is_how_many_times_as_long_the_peer_takes() -> None:
    results = _results(_entry("plumbline", 10, 2.0), _entry("nannyml", 10, 9.0))
    assert results.ratio("nannyml", "plumbline", 10) == 4.5


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.3])
def test_slope_is_the_exponent_of_time(exponent: float) -> None:
    sizes = (_MILLION, 3 * _MILLION, 10 * _MILLION)
    results = _results(*(_entry("plumbline", size, 3.0 * (size / _MILLION) ** exponent) for size in sizes))
    assert results.slope("plumbline") == pytest.approx(exponent, abs=1e-12)


def test_slope_leaves_small_windows_out() -> None:
    times = {1_000: 0.7, 10_000: 0.8, _MILLION: 4.0, 10 * _MILLION: 40.0}
    assert _results(*(_entry("plumbline", *pair) for pair in times.items())).slope("plumbline") == pytest.approx(1.0)


def test_slope_needs_two_large_windows() -> None:
    assert _results(_entry("plumbline", 1_000, 1.0), _entry("plumbline", _MILLION, 4.0)).slope("plumbline") is None


def test_first_line_that_never_came_is_no_time() -> None:
    quiet = _entry("plumbline", 10, 1.0, first_line_seconds=None)
    assert _results(quiet, _entry("plumbline", 10, 1.0)).first_line_seconds("plumbline") is None


def test_share_of_the_core_is_that_of_the_run_that_had_least() -> None:
    alone, shared = _entry("plumbline", 10, 2.0), replace(_entry("plumbline", 10, 4.0), cpu_seconds=3.0)
    idle = replace(_entry("other", 10, 4.0), cpu_seconds=1.0)
    assert _results(alone, shared, idle).least_share_of_core(["plumbline"]) == 0.75


def test_results_survive_their_json() -> None:
    results = _results(_entry("plumbline", 10, 1.5), not_run=[NotRun("whylogs", None, "no wheel")])
    assert Results.from_json(results.to_json()) == results


def test_targets_tell_met_missed_and_not_measured() -> None:
    results = _results(
        _entry("plumbline", _MILLION, 4.0),
        _entry("plumbline", 10 * _MILLION, 40.0, peak_bytes=300e6),
        _entry("reference", _MILLION, 80.0),
        _entry("nannyml", _MILLION, 35.9),
    )
    met = {target.text.split()[0] + target.text[-10:]: target.met for target in targets(results)}
    assert list(met.values()) == [True, None, False, False, False, True, True]


def test_nothing_measured_meets_no_target() -> None:
    assert {target.met for target in targets(_results())} == {None}


def test_page_shows_medians_ratios_and_what_was_not_run() -> None:
    text = page.render(
        _results(
            _entry("plumbline", 1_000, 2.0),
            _entry("nannyml", 1_000, 19.0),
            _entry("plumbline", 2_000, 12.34),
            not_run=[NotRun("nannyml", 2_000, "exit code 1: killed"), NotRun("whylogs", None, "no wheel")],
        )
    )
    for line in (
        ".venv/bin/python -m benchmarks --sizes 10",
        "| records | 1,000 | 2,000 |",
        "| plumbline | 2.00 | 12.3 |",
        "| nannyml | 19.0 |  |",
        "| nannyml | 9.5 |  |",
        "| nannyml | 2,000 | exit code 1: killed |",
        "| whylogs | all | no wheel |",
        "| processor | Some \\| processor |",
    ):
        assert line in text.splitlines()


def test_plot_is_the_same_for_the_same_results(tmp_path: Path) -> None:
    results = _results(*(_entry(name, size, 1.0) for name in ("plumbline", "nannyml") for size in (10, 100)))
    plot.save(results, tmp_path / "one.png")
    plot.save(results, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")

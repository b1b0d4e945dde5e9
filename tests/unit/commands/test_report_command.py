import json
from pathlib import Path

import pytest

from plumbline.cli import main
from tests.unit.report.builders import report, start_of, write


def run(tmp_path: Path, *more: str) -> int:
    return main(["report", "--results", str(tmp_path / "results"), "--output", str(tmp_path / "out"), *more])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write(tmp_path / "results", report(0), report(1))


@pytest.mark.usefixtures("results")
def test_page_is_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--title", "My page") == 0
    assert capsys.readouterr().out == f"report: {tmp_path / 'out' / 'report.html'}\n"
    assert "<title>My page</title>" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("name", "content"),
    [("truth.json", json.dumps({start_of(1): 0.8123})), ("truth.csv", f"window,accuracy\n{start_of(1)},0.8123\n")],
)
def test_truth_is_read_from_json_and_csv(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert run(tmp_path, "--truth", str(tmp_path / name)) == 0
    assert "<td>81.2 %</td>" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("results")
def test_events_are_read(tmp_path: Path) -> None:
    events = [
        {"window": start_of(0), "kind": "alarm", "text": "went to ALARM"},
        {"time": "2026-03-01T01:20:00Z", "kind": "retraining"},
    ]
    (tmp_path / "events.json").write_text(json.dumps(events))
    assert run(tmp_path, "--events", str(tmp_path / "events.json")) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<b>alarm</b> went to ALARM" in page
    assert "<b>retraining</b>" in page


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("option", "name", "content", "message"),
    [
        ("--truth", "truth.json", "[]", "must hold a JSON object {window start: accuracy}, got a list"),
        ("--truth", "truth.json", "{", "truth.json must be JSON"),
        ("--truth", "truth.json", json.dumps({start_of(0): 86.7}), "from 0 to 1, got 86.7"),
        ("--truth", "truth.json", json.dumps({start_of(0): True}), "from 0 to 1, got True"),
        ("--truth", "truth.csv", "window,accuracy\nx\n", "truth.csv line 2 must have a window and an accuracy"),
        ("--truth", "truth.csv", "a,b\n1,2\n", "truth.csv line 2 must have a window and an accuracy"),
        ("--events", "events.json", "{}", "must hold a JSON list of events, got a dict"),
        ("--events", "events.json", '[{"kind": "alarm"}]', 'an event must have "time" or "window"'),
    ],
)
def test_wrong_truth_and_events_are_shown(
    tmp_path: Path, option: str, name: str, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(content)
    assert run(tmp_path, option, str(tmp_path / name)) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("results")
def test_absent_truth_file_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--truth", "absent.json") == 2
    assert "absent.json must be a readable text file" in capsys.readouterr().err


def test_no_reports_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results").mkdir()
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert error.startswith("plumbline report: error: the results must hold at least one drift_report.json")
    assert error.count("\n") == 1

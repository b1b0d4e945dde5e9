"""`plumbline accept` on the folders of `plumbline monitor`: drift, acceptance, quiet and visible, undone, drift."""

import json
import random
import shutil
from pathlib import Path

import pytest

from plumbline.cli import main
from plumbline.contract.accuracy import Shift
from plumbline.contract.description import report_lines
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import DriftReport, Verdict
from tests.unit.drift.builders import learn_baseline, record, write_capture

NAMES = ("age", "colour", "label")


def rows(n: int, seed: int, age: float = 40.0) -> list[tuple[str, ...]]:
    rng = random.Random(seed)
    made: list[tuple[str, ...]] = []
    for _ in range(n):
        years = rng.gauss(age, 10)
        made.append((f"{years:.0f}", rng.choice(["red", "blue"]), "1" if years + rng.gauss(0, 5) > 45 else "0"))
    return made


def probability(row: tuple[str, ...]) -> float:
    return min(0.99, max(0.01, (float(row[0]) - 30) / 30))


def csv_file(path: Path, header: tuple[str, ...], lines: list[tuple[str, ...]]) -> Path:
    path.write_text("\n".join(",".join(row) for row in [header, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    test = rows(1500, 2)
    learn_baseline(
        train=csv_file(folder / "train.csv", NAMES, rows(3000, 1)),
        test=csv_file(folder / "test.csv", NAMES, test),
        predictions=csv_file(folder / "p.csv", ("probability",), [(f"{probability(row)}",) for row in test]),
        target_label="label",
        output=folder / "baseline",
    )
    return folder


class World:
    """The folders of one user: a baseline, and a report for each hour that was judged."""

    def __init__(self, root: Path, learned: Path) -> None:
        self.root, self.baseline, self.reports = root, root / "baseline", root / "reports"
        self.records = root / "baseline.accepted"
        shutil.copytree(learned / "baseline", self.baseline)

    def judge(self, hour: int, age: float = 40.0, n: int = 800, seed: int = 0, *more: str) -> DriftReport:
        times = [f"2026-03-01T{one:02}:00:00Z" for one in (hour, hour + 1)]
        records = [
            record(",".join(row[:-1]), f"{probability(row)}\n", event_id=f"{hour}-{i}", time=times[0])
            for i, row in enumerate(rows(n, 100 + hour + seed, age))
        ]
        data = write_capture(self.root / f"data{hour}", records)
        output = self.reports / f"{hour:02}"
        where = ["--dataset-source", str(data), "--baseline", str(self.baseline), "--output", str(output)]
        assert main(["monitor", *where, "--start-time", times[0], "--end-time", times[1], *more]) == 0
        return DriftReport.from_json((output / "drift_report.json").read_text())

    def accept(self, *arguments: str) -> int:
        return main(["accept", "--baseline", str(self.baseline), "--reports", str(self.reports), *arguments])


@pytest.fixture
def world(tmp_path: Path, learned: Path) -> World:
    return World(tmp_path, learned)


def window(start: int, end: int) -> str:
    return f"2026-03-01T{start:02}:00:00Z/2026-03-01T{end:02}:00:00Z"


def test_drift_that_was_accepted_is_quiet_and_visible_until_it_is_undone(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [world.judge(hour, age=50).verdict for hour in (8, 9)] == [Verdict.DRIFT] * 2
    capsys.readouterr()
    assert world.accept("--window", window(8, 10), "--reason", "the new region", "--by", "Ada") == 0
    said = capsys.readouterr().out
    assert "2 windows with 1,600 rows" in said
    assert "differs from the training data: age: " in said

    quiet = world.judge(10, age=50)
    assert (quiet.verdict, quiet.drifted_features) == (Verdict.NO_DRIFT, ())
    assert str(quiet.reason).startswith("no feature drifted; judged against the windows accepted on 20")
    accepted = quiet.accepted
    assert (accepted.is_used, accepted.accepted_by, accepted.stated_reason) == (True, "Ada", "the new region")
    assert (accepted.n_windows, accepted.n_rows) == (2, 1600)
    assert [one.name for one in accepted.features] == ["age"]
    assert accepted.prediction is not None
    assert quiet.prediction.verdict is Verdict.NO_DRIFT
    (covariate,) = (one for one in quiet.shifts if one.shift is Shift.COVARIATE)
    assert covariate.verdict is Verdict.NO_DRIFT
    assert covariate.reason is not None
    assert covariate.reason.code is ReasonCode.ACCEPTED_SHIFT
    lines = "\n".join(report_lines(quiet))
    assert "by Ada, because: the new region" in lines
    assert "against the training data it still differs: age: Jensen-Shannon distance" in lines

    back = world.judge(11, age=40)
    assert back.verdict is Verdict.DRIFT
    assert back.accepted.features == ()

    assert world.accept("--undo", "--reason", "it was a fault after all", "--by", "Bob") == 0
    again = world.judge(12, age=50)
    assert (again.verdict, again.drifted_features) == (Verdict.DRIFT, ("age",))
    assert not again.accepted.is_stated
    capsys.readouterr()
    assert world.accept("--list") == 0
    listed = capsys.readouterr().out
    assert "accepted by Ada: the new region" in listed
    assert "undone by Bob: it was a fault after all" in listed


def test_the_accepted_windows_themselves_stay_what_they_were(world: World) -> None:
    world.judge(8, age=50)
    assert world.accept("--window", "2026-03-01T08:00:00Z", "--reason", "new") == 0
    report = world.judge(8, age=50)
    assert report.verdict is Verdict.DRIFT
    assert report.accepted.reason is not None
    assert report.accepted.reason.code is ReasonCode.ACCEPTED_LATER


def test_one_feature_is_accepted_and_the_others_are_judged_as_before(world: World) -> None:
    world.judge(8, age=50)
    assert world.accept("--window", window(8, 9), "--reason", "new", "--feature", "colour") == 0
    report = world.judge(9, age=50)
    assert (report.verdict, report.drifted_features) == (Verdict.DRIFT, ("age",))
    assert report.prediction.verdict is Verdict.DRIFT
    assert report.accepted.accepted_features == ("colour",)
    assert report.accepted.features == ()


def test_whole_rows_are_judged_without_what_was_accepted(world: World) -> None:
    world.judge(8, age=50)
    assert world.accept("--window", window(8, 9), "--reason", "new", "--feature", "age", "--prediction") == 0
    report = world.judge(9, 50.0, 800, 0, "--multivariate")
    assert report.verdict is Verdict.NO_DRIFT
    assert report.multivariate.verdict is Verdict.NO_DRIFT
    assert "without age" in str(report.multivariate.verdict_reason)
    assert world.accept("--window", window(8, 9), "--reason", "new") == 0
    report = world.judge(10, 50.0, 800, 0, "--multivariate")
    assert report.multivariate.reason is not None
    assert report.multivariate.reason.code is ReasonCode.ACCEPTED_WITHOUT_ROWS


def test_a_new_baseline_ends_the_acceptance_and_the_report_says_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.judge(8, age=50)
    assert world.accept("--window", window(8, 9), "--reason", "new") == 0
    learn_baseline(
        train=csv_file(tmp_path / "train.csv", NAMES, rows(3000, 77)),
        test=None, predictions=None, target_label="label", output=world.baseline,
    )  # fmt: skip
    report = world.judge(9, age=50)
    assert report.verdict is Verdict.DRIFT
    assert report.accepted.reason is not None
    assert report.accepted.reason.code is ReasonCode.ACCEPTED_ENDED
    capsys.readouterr()
    assert world.accept("--list") == 0
    assert "ended: the baseline is another one now" in capsys.readouterr().out


def test_a_damaged_record_is_warned_of_and_the_training_data_judges(world: World) -> None:
    world.judge(8, age=50)
    assert world.accept("--window", window(8, 9), "--reason", "new") == 0
    (file,) = world.records.iterdir()
    file.write_text(file.read_text().replace('"n_rows": 800', '"n_rows": 801'))
    report = world.judge(9, age=50)
    assert report.verdict is Verdict.DRIFT
    assert [warning.code for warning in report.warnings] == [ReasonCode.ACCEPTED_UNUSABLE]
    assert "edited or damaged" in str(report.warnings[0])
    assert world.accept("--list") == 2


def test_too_few_accepted_rows_for_the_runs_own_minimum_are_warned_of(world: World) -> None:
    world.judge(8, 50.0, 300)
    assert world.accept("--window", window(8, 9), "--reason", "new") == 0
    report = world.judge(9, 50.0, 800, 0, "--minimum-rows", "500")
    assert report.verdict is Verdict.DRIFT
    assert "300 rows, fewer than the minimum of 500" in str(report.warnings[0])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--window", window(7, 9), "--reason", "x"], "got none that begins at 2026-03-01T07:00:00Z"),
        (["--window", window(8, 11), "--reason", "x"], "got none that begins at 2026-03-01T09:00:00Z"),
        (["--window", "2026-03-01T08:30:00Z/2026-03-01T09:00:00Z", "--reason", "x"], "begins at 2026-03-01T08:30:00Z"),
        (["--window", "2026-03-01T05:00:00Z", "--reason", "x"], "must be the start of a window with a report"),
        (["--window", "2026-03-01T09:00:00Z/2026-03-01T08:00:00Z", "--reason", "x"], "must end after it begins"),
        (["--window", "yesterday", "--reason", "x"], "--window must be START or START/END, got 'yesterday'"),
        (["--window", window(8, 9), "--window", window(8, 9), "--reason", "x"], "must not overlap"),
        (["--window", window(8, 9), "--reason", "two\nlines"], "must be one line without control characters"),
        (["--window", window(8, 9), "--reason", " "], "--reason must say something"),
        (["--window", window(8, 9), "--reason", "x" * 301], "at most 300 characters, got 301"),
        (["--window", window(8, 9), "--reason", "x", "--by", "\x1b[31m"], "--by must be one line"),
        (["--window", window(8, 9), "--reason", "x", "--feature", "height"], "choose among age, colour"),
        (["--window", window(8, 9), "--reason", "x", "--minimum-rows", "900"], "800 rows, fewer than the minimum"),
        (["--window", window(8, 9)], "--reason must come with --window"),
        (["--window", window(8, 9), "--reason", "x", "--prediction"], "--prediction must come with --feature"),
        (["--undo", "--feature", "age"], "must come with --window"),
        (["--undo"], "got nothing that is"),
    ],
)  # fmt: skip
def test_what_cannot_be_accepted_is_refused_with_what_to_do(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    world.judge(8, age=50)
    assert world.accept(*arguments) == 2
    assert text in capsys.readouterr().err
    assert not world.records.exists()


def test_windows_that_a_run_lost_records_of_are_no_reference(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.judge(8, age=50)
    file = world.reports / "08" / "window_counts.json"
    document = json.loads(file.read_text())
    assert document["rejected_fraction"] == 0
    (world.root / "data8" / "ep" / "broken.jsonl").write_text("no json\n" * 400)
    where = ["--dataset-source", str(world.root / "data8"), "--output", str(world.reports / "08")]
    times = ["--start-time", "2026-03-01T08:00:00Z", "--end-time", "2026-03-01T09:00:00Z"]
    assert main(["monitor", *where, "--baseline", str(world.baseline), *times]) == 0
    assert world.accept("--window", window(8, 9), "--reason", "x") == 2
    assert "33.3 % of its records rejected" in capsys.readouterr().err


def test_hours_without_traffic_are_part_of_the_accepted_time(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.judge(8, age=50)
    world.judge(9, 50.0, 0)
    world.judge(10, age=50)
    capsys.readouterr()
    assert world.accept("--window", window(8, 11), "--reason", "a night among them", "--dry-run") == 0
    assert "3 windows with 1,600 rows" in capsys.readouterr().out
    assert not world.records.exists()


def test_the_last_word_counts(world: World) -> None:
    world.judge(8, age=50)
    world.judge(9, age=30)
    assert world.accept("--window", window(8, 9), "--reason", "older") == 0
    assert world.accept("--window", window(9, 10), "--reason", "younger") == 0
    assert world.judge(10, age=30).verdict is Verdict.NO_DRIFT
    assert world.judge(11, age=50).verdict is Verdict.DRIFT
    assert len(list(world.records.iterdir())) == 2


def test_exactly_one_place_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accept", "--list"]) == 2
    assert main(["accept", "--baseline", str(world.baseline), "--window", "x", "--reason", "x"]) == 2
    assert main(["accept", "--baseline", str(world.baseline), "--reports", str(world.root / "no"), "--list"]) == 2
    errors = capsys.readouterr().err
    assert "exactly one of --environment and --baseline" in errors
    assert "--reports must come with --baseline" in errors
    assert "--reports must be a folder" in errors

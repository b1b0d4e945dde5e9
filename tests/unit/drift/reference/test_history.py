"""The task's past: read from a file, kept in the baseline."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.names import BASELINE_FILE
from plumbline.contract.statistics import EffectMeasure
from plumbline.contract.training import Task
from plumbline.drift.errors import BaselineError
from plumbline.drift.projection.learn_history import learn_reference
from plumbline.drift.reference.baseline import HISTORY_FILE, load, save
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from plumbline.drift.reference.history import (
    History,
    HistoryRows,
    PastChange,
    PastWindow,
    bounds_by_size,
    history_text,
    parse_history,
    rounded,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
N_ROWS = 400


def times(n: int = N_ROWS) -> list[str]:
    return [(START + timedelta(hours=hour)).isoformat() for hour in range(n)]


def write(path: Path, columns: dict[str, Sequence[object]], *, newline: str = "\n", mark: str = "") -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_bytes((mark + newline.join(lines) + newline).encode())
    return path


def past(n: int = N_ROWS, **columns: Sequence[object] | None) -> dict[str, Sequence[object]]:
    """Columns of a history of n rows: age is the number of the row."""
    known: dict[str, Sequence[object] | None] = {
        "when": times(n),
        "age": range(n),
        "work": ["Private", "State"] * (n // 2) + ["Private"] * (n % 2),
        "y": ["no", "yes"] * (n // 2) + ["no"] * (n % 2),
        "probability": [0.25, 0.75] * (n // 2) + [0.25] * (n % 2),
    }
    return {name: cells for name, cells in (known | columns).items() if cells is not None}


def files(folder: Path, columns: dict[str, Sequence[object]], **more: object) -> ReferenceFiles:
    train = write(folder / "train.csv", {name: past(20)[name] for name in ("age", "work", "y")})
    history = write(folder / "history.csv", columns)
    given = {"train": train, "history": history, "time_column": "when", "target_label": "y"} | more
    return ReferenceFiles(**given)  # type: ignore[arg-type]


def read(folder: Path, columns: dict[str, Sequence[object]], **more: object) -> HistoryRows:
    _, rows = files(folder, columns, **more).read()
    assert rows is not None
    return rows


def test_columns_are_those_of_train_in_any_order_and_times_are_utc(tmp_path: Path) -> None:
    zoned = [time.replace("+00:00", "+02:00") for time in times()]
    columns = past(when=zoned, work=[" Private ", "State"] * 200)
    rows = read(tmp_path, dict(reversed(columns.items())))

    assert [spec.name for spec in rows.table.specs] == ["age", "work"]
    assert rows.times[:2] == ["2025-12-31T22:00:00Z", "2025-12-31T23:00:00Z"]
    assert rows.table.columns["age"].tolist() == [*range(N_ROWS)]
    assert rows.table.columns["work"].tolist()[:2] == ["Private", "State"]
    assert rows.labels[:2] == ("no", "yes")
    assert rows.probabilities.tolist()[:2] == [0.25, 0.75]
    assert rows.predicted is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T13:00:00Z", "2026-01-31T13:00:00Z"),
        ("2026-01-31 13:00", "2026-01-31T13:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T13:00:00.5", "2026-01-31T13:00:00.500000Z"),
        ("2026-01-31T13:00:00.123456789-01:30", "2026-01-31T14:30:00.123456Z"),
        ("2026-01-31 01:00:00+02", "2026-01-30T23:00:00Z"),
    ],
)
def test_a_time_may_have_a_zone_or_none(tmp_path: Path, text: str, expected: str) -> None:
    assert read(tmp_path, past(when=[text] * N_ROWS)).times[0] == expected


@pytest.mark.parametrize(
    "text", ["", "?", "Monday", "1767225600", "2026-13-01", "2025-02-29", "01/31/2026", "2026-01-31T25:00",
             "2026-01-31T13:00:00+24:00", "0001-01-01T00:00:00+01:00", "2026-01-31T13:00 Europe/Berlin", "٢٠٢٦-٠١-٣١"],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    when = times()
    when[6] = text
    with pytest.raises(
        BaselineError, match=r"history\.csv, line 8: the time column 'when' must hold ISO 8601 times, got"
    ):
        read(tmp_path, past(when=when))


def test_rows_out_of_order_are_sorted_and_told_and_equal_times_keep_the_files_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    when = [f"2026-01-{1 + (n + 3) % 4:02}" for n in range(N_ROWS)]
    rows = read(tmp_path, past(when=when))

    assert rows.table.columns["age"].tolist() == sorted(range(N_ROWS), key=lambda n: when[n])
    assert [*rows.times] == sorted(rows.times)
    assert rows.labels == tuple("yes" if age % 2 else "no" for age in rows.table.columns["age"])
    assert rows.probabilities.tolist() == [0.75 if age % 2 else 0.25 for age in rows.table.columns["age"]]
    (entry,) = caplog.records
    assert "is not in time order: in 100 of 400 rows the time goes back; the rows were sorted" in entry.getMessage()


def test_rows_in_order_are_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, past(when=["2026-01-01"] * N_ROWS))
    assert not caplog.records


def test_byte_order_mark_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    file = write(tmp_path / "marked.csv", past(), newline="\r\n", mark="\ufeff")
    assert len(read(tmp_path, past(), history=file).times) == N_ROWS


def test_a_missing_cell_of_a_feature_is_missing(tmp_path: Path) -> None:
    rows = read(tmp_path, past(age=["?", *range(1, N_ROWS)]))
    assert np.isnan(rows.table.columns["age"]).tolist() == [True] + [False] * (N_ROWS - 1)


def test_train_and_test_may_have_the_time_column_and_no_baseline_has_it(tmp_path: Path) -> None:
    timed = {name: past(40)[name] for name in ("age", "when", "work", "y")}
    baseline = learn_reference(
        files(
            tmp_path,
            past(),
            train=write(tmp_path / "timed.csv", timed),
            test=write(tmp_path / "test.csv", timed),
            predictions=write(tmp_path / "predictions.csv", {"probability": [0.5] * 40}),
        )
    )

    assert [spec.name for spec in baseline.specs] == ["age", "work"]
    assert baseline.test is not None
    assert [*baseline.test.table.columns] == ["age", "work"]
    assert baseline.history is not None
    assert (baseline.history.time_column, baseline.history.n_rows) == ("when", N_ROWS)


def test_a_test_set_with_times_is_the_past_without_a_history(tmp_path: Path) -> None:
    columns = past()
    predictions = write(tmp_path / "predictions.csv", {"log_odds": [-1, 1] * 200})
    test = write(tmp_path / "test.csv", {name: columns[name] for name in ("y", "when", "work", "age")})
    rows = read(tmp_path, columns, history=None, test=test, predictions=predictions)

    assert rows.times[0] == "2026-01-01T00:00:00Z"
    assert rows.probabilities[:2] == pytest.approx([0.2689, 0.7311], abs=1e-4)


def test_four_classes_need_the_predicted_label(tmp_path: Path) -> None:
    labels = ["a", "b", "c", "d"]
    train = write(tmp_path / "four.csv", {"age": range(4), "work": ["x"] * 4, "y": labels})
    columns = past(y=labels * 100, predicted=["b", "b", "d", "d"] * 100, probability=[0.9] * N_ROWS)
    rows = read(tmp_path, columns, train=train)
    assert rows.predicted is not None
    assert rows.predicted[:4] == ("b", "b", "d", "d")

    with pytest.raises(BaselineError, match="must have the predicted label of each row"):
        read(tmp_path, past(y=labels * 100), train=train)
    with pytest.raises(BaselineError, match=r"history\.csv, line 3: a predicted label of the past must be one of 'a'"):
        read(tmp_path, past(y=labels * 100, predicted=["b", "e"] * 200), train=train)


def test_a_quantity_is_read_as_numbers(tmp_path: Path) -> None:
    train = write(tmp_path / "numbers.csv", {"age": range(30), "work": ["x"] * 30, "y": [n / 2 for n in range(30)]})
    columns = past(y=[n * 1.5 for n in range(N_ROWS)], probability=None, value=[n * 1.25 for n in range(N_ROWS)])
    rows = read(tmp_path, columns, train=train)
    assert rows.probabilities.tolist()[:3] == [0, 1.25, 2.5]

    with pytest.raises(BaselineError, match="line 2: a label of the past must be a number"):
        read(tmp_path, past(y=["many"] * N_ROWS), train=train, task=Task.REGRESSION)


def test_predictions_may_be_log_odds_or_labels_and_a_feature_may_be_named_so(tmp_path: Path) -> None:
    by_odds = read(tmp_path, past(probability=None, log_odds=[0] * N_ROWS))
    assert set(by_odds.probabilities.tolist()) == {0.5}
    by_label = read(tmp_path, past(probability=None, label=["no", "yes"] * 200))
    assert by_label.probabilities.tolist()[:2] == [0.0, 1.0]

    feature = write(tmp_path / "value.csv", {"value": range(20), "y": ["no", "yes"] * 10})
    renamed = past(value=range(N_ROWS), age=None, work=None)
    rows = read(tmp_path, renamed, train=feature)
    assert [*rows.table.columns] == ["value"]
    assert rows.probabilities.tolist()[:2] == [0.25, 0.75]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (past(when=None), r"must have the time column 'when', got \['age'"),
        (past(age=None), r"got \[\] too many and \['age'\] too few"),
        (past(more=range(N_ROWS)), r"got \['more'\] too many"),
        (past(y=None), "must have the target column 'y'"),
        (past(probability=None), "must have the predictions beside the features, as 'probability'"),
        (past(probability=[1.5] * N_ROWS), r"line 2: a probability must lie in 0 to 1, got '1\.5'"),
        (past(probability=[""] * N_ROWS), "line 2: a prediction must be a number, got ''"),
        (past(probability=["nan"] * N_ROWS), "line 2: a prediction must be a number, got 'nan'"),
        (past(y=["no", ""] * 200), "line 3: the target 'y' must not be missing"),
        (past(y=["no", "maybe"] * 200), "line 3: a label of the past must be one of 'no', 'yes'"),
        (past(age=["many"] * N_ROWS), "line 2: a column that is numeric in training must hold finite numbers"),
        (past(300), "must have at least 400 rows to show windows of the past, got 300"),
        (past(1), "must have at least 400 rows to show windows of the past, got 1"),
        (past(0), "must have a header row and rows below it, got no row"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, columns: dict[str, Sequence[object]], message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        read(tmp_path, columns)


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="a history must have a time column"):
        files(tmp_path, past(), time_column=None)
    with pytest.raises(BaselineError, match="must have a target of another name, got 'when'"):
        files(tmp_path, past(), target_label="when")
    with pytest.raises(BaselineError, match="must have a target of another name, got None"):
        files(tmp_path, past(), target_label=None)
    with pytest.raises(BaselineError, match="must come with a history, or with a test set"):
        files(tmp_path, past(), history=None)
    train = write(tmp_path / "only.csv", {"when": times(20), "y": ["no", "yes"] * 10})
    with pytest.raises(BaselineError, match="must have a feature beside target and time"):
        read(tmp_path, past(), train=train)


def test_sizes_have_two_windows_or_more() -> None:
    assert bounds_by_size(399) == {}
    assert {size: len(bounds) for size, bounds in bounds_by_size(4_500).items()} == {
        200: 22,
        500: 9,
        1_000: 4,
        2_000: 2,
    }


def history() -> History:
    change = PastChange(
        effects={EffectMeasure.JENSEN_SHANNON_DISTANCE: 0.125, EffectMeasure.DRIFT_SCORE: 3.5}, missing_fraction=0.25
    )
    first = PastWindow(
        start="2026-01-01T00:00:00Z",
        end="2026-01-02T00:00:00Z",
        n_rows=200,
        miss=-0.0625,
        half_width=0.03,
        changes={"age": change, "work": PastChange()},
        separability=0.5,
    )
    second = PastWindow(start="2026-01-02T00:00:00Z", end="2026-01-03T00:00:00Z", n_rows=200)
    return History(
        time_column="wann",
        start=first.start,
        end=second.end,
        n_rows=400,
        windows={200: (first, second)},
        days={"age": {"location": 0.25}},
    )


def test_a_history_comes_back_from_its_text_which_is_the_same_each_time() -> None:
    kept = history()
    assert parse_history(history_text(kept)) == kept
    assert history_text(parse_history(history_text(kept))) == history_text(kept)
    # What is not there takes no room.
    assert '{"size": 200, "start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z", "n_rows": 200}' in (
        history_text(kept)
    )


def test_numbers_are_kept_as_the_file_has_them() -> None:
    window = replace(history().windows[200][0], miss=1 / 3, separability=-0.0)
    kept = rounded(replace(window, changes={"age": PastChange(missing_fraction=2 / 3)}))
    assert (kept.miss, kept.changes["age"].missing_fraction) == (0.333333, 0.666667)
    assert str(kept.separability) == "0.0"


def test_a_baseline_keeps_its_history_and_one_without_has_none(tmp_path: Path) -> None:
    baseline = learn_reference(files(tmp_path, past()))
    save(baseline, tmp_path / "with")
    loaded = load(tmp_path / "with")
    assert loaded.history == baseline.history
    assert loaded.history is not None
    assert [len(windows) for windows in loaded.history.windows.values()] == [2]
    save(loaded, tmp_path / "again")
    for name in (BASELINE_FILE, HISTORY_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "with" / name).read_bytes()

    # A past that an earlier baseline left here must not pass for this one's.
    save(replace(baseline, history=None), tmp_path / "with")
    assert not (tmp_path / "with" / HISTORY_FILE).exists()
    assert load(tmp_path / "with").history is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        history_text(history()).replace('"size": 200', '"size": 300'),
        history_text(history()).replace('"size": 200', '"size": true'),
        history_text(history()).replace("-0.0625", "NaN"),
        history_text(history()).replace("0.125", '"much"'),
        history_text(history()).replace("jensen_shannon_distance", "distance"),
        history_text(history()).replace('"age"', '"height"'),
        history_text(history()).replace('"n_rows": 400', '"n_rows": "400"'),
        history_text(history()).replace("0.25}}", "-0.25}}"),
        history_text(history()).replace("0.25}}", "1e400}}"),
        history_text(history()).replace("0.25}}", '"much"}}'),
    ],
)
def test_a_history_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    baseline = learn_reference(files(tmp_path, past()))
    save(baseline, tmp_path / "with")
    with pytest.raises(BaselineError, match=r"history\.json must be the file"):
        _damaged(tmp_path / "with", text, signs=False)
    with pytest.raises(BaselineError, match=r"baseline\.json must fit its schema"):
        _damaged(tmp_path / "with", text, signs=True)


def _damaged(folder: Path, text: str, *, signs: bool) -> None:
    from plumbline.drift.data.documents import sha256, signed

    (folder / HISTORY_FILE).write_text(text)
    if signs:
        document = json.loads((folder / BASELINE_FILE).read_text())
        document.pop("checksum")
        document["files"][HISTORY_FILE] = sha256(text)
        (folder / BASELINE_FILE).write_text(signed(document, before="files"))
    load(folder)

"""Values and columns as real clients send them: `plumbline baseline` and `plumbline monitor` on small files."""

import csv
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from plumbline.cli import main
from plumbline.contract.names import Metric
from plumbline.contract.records import DriftReport, FeatureReport, Verdict, Violation
from plumbline.drift.report.metrics import of_report

N_TRAIN, N_WINDOW = 3000, 1500
Column = Callable[[random.Random], Any]


def drawn(column: Column, n: int, seed: int) -> list[Any]:
    rng = random.Random(seed)
    return [column(rng) for _ in range(n)]


def learned(folder: Path, cells: Sequence[str], *options: str) -> Path:
    """Learn a baseline of the column `x` beside a column of noise."""
    noise = drawn(lambda rng: f"{rng.gauss(0, 1):.3f}", len(cells), seed=1)
    with (folder / "train.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("x", "noise"), *zip(cells, noise, strict=True)])
    paths = ("--train", str(folder / "train.csv"), "--output", str(folder / "learned"))
    assert main(["baseline", *paths, *options]) == 0
    return folder / "learned"


def judged(folder: Path, baseline: Path, values: Sequence[Any], *options: str, as_json: bool = False) -> DriftReport:
    """Judge a window of `values`: CSV texts, or values of JSON."""
    noise = drawn(lambda rng: round(rng.gauss(0, 1), 3), len(values), seed=2)
    lines = [
        json.dumps(
            {
                "captureData": {
                    "endpointInput": {
                        "observedContentType": "application/json" if as_json else "text/csv",
                        "mode": "INPUT",
                        "data": json.dumps([[value, other]]) if as_json else f"{value},{other}",
                        "encoding": "JSON" if as_json else "CSV",
                    }
                },
                "eventMetadata": {"eventId": f"e{number}", "inferenceTime": "2026-03-01T00:30:00Z"},
                "eventVersion": "0",
            }
        )
        for number, (value, other) in enumerate(zip(values, noise, strict=True))
    ]
    (folder / "capture").mkdir()
    (folder / "capture" / "a.jsonl").write_text("\n".join(lines) + "\n")
    paths = ("--dataset-source", str(folder / "capture"), "--baseline", str(baseline), "--output", str(folder / "out"))
    assert main(["monitor", *paths, *options]) == 0
    return DriftReport.from_json((folder / "out" / "drift_report.json").read_text())


def feature(report: DriftReport) -> FeatureReport:
    return report.features[0]


def with_gaps(gap: Any, column: Column) -> Column:
    """30 % of the cells are `gap`."""
    return lambda rng: gap if rng.random() < 0.3 else column(rng)


def number(rng: random.Random) -> str:
    return f"{rng.gauss(40, 10):.2f}"


def colour(rng: random.Random) -> str:
    return rng.choice(["red", "green", "blue"])


@pytest.mark.parametrize("column", [number, colour])
@pytest.mark.parametrize(
    ("trained", "sent"),
    [("", "NaN"), ("", "NULL"), ("NA", "nan"), ("None", "N/A"), ("-", ""), ("<NA>", "-"), ("?", "None")],
)
def test_30_percent_missing_stay_30_percent_whatever_the_word(
    tmp_path: Path, column: Column, trained: str, sent: str
) -> None:
    baseline = learned(tmp_path, drawn(with_gaps(trained, column), N_TRAIN, seed=3))
    found = feature(judged(tmp_path, baseline, drawn(with_gaps(sent, column), N_WINDOW, seed=4)))
    assert found.verdict is Verdict.NO_DRIFT
    assert not found.unreadable
    assert found.missing_fraction == pytest.approx(0.3, abs=0.05)
    assert found.missing_fraction_reference == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("sent", [None, float("nan"), "", "NaN", " null "])
def test_json_has_missing_values_too(tmp_path: Path, sent: Any) -> None:
    baseline = learned(tmp_path, drawn(with_gaps("NaN", number), N_TRAIN, seed=3))
    values = drawn(with_gaps(sent, lambda rng: rng.gauss(40, 10)), N_WINDOW, seed=4)
    found = feature(judged(tmp_path, baseline, values, as_json=True))
    assert (found.verdict, dict(found.unreadable)) == (Verdict.NO_DRIFT, {})
    assert found.missing_fraction == pytest.approx(0.3, abs=0.05)


def test_an_unreadable_cell_does_not_lower_the_missing_fraction(tmp_path: Path) -> None:
    baseline = learned(tmp_path, drawn(with_gaps("", number), N_TRAIN, seed=3))
    values = drawn(with_gaps("", number), N_WINDOW, seed=4)
    found = feature(judged(tmp_path, baseline, [*values, *["oops"] * 30]))
    assert found.missing_fraction == values.count("") / N_WINDOW
    assert found.unreadable_fraction == 30 / (N_WINDOW + 30)
    assert found.verdict is Verdict.NO_DRIFT


@pytest.mark.parametrize("broken", ["n/k", "40 years", "4,5", "inf", ["40"]])
@pytest.mark.parametrize(("share", "verdict"), [(0.46, Verdict.DRIFT), (0.06, Verdict.DRIFT), (0.02, Verdict.NO_DRIFT)])
def test_many_unreadable_values_are_a_verdict(tmp_path: Path, broken: Any, share: float, verdict: Verdict) -> None:
    baseline = learned(tmp_path, drawn(number, N_TRAIN, seed=3))
    values = drawn(lambda rng: round(rng.gauss(40, 10), 2), N_WINDOW, seed=4)
    n_broken = round(share * N_WINDOW)
    report = judged(tmp_path, baseline, [broken] * n_broken + values[n_broken:], as_json=True)
    found = feature(report)
    assert (report.verdict, found.verdict) == (verdict, verdict)
    assert found.unreadable_fraction == n_broken / N_WINDOW
    assert (found.violation is Violation.DATA_TYPE) is (verdict is Verdict.DRIFT)
    written = json.loads((tmp_path / "out" / "constraint_violations.json").read_text())["violations"]
    assert [one["constraint_check_type"] for one in written] == ["data_type_check"] * (verdict is Verdict.DRIFT)
    drift = [one.value for one in of_report(report) if one.metric is Metric.DRIFT_VERDICT]
    assert drift == ([] if verdict is Verdict.DRIFT else [0.0])


def test_the_share_of_unreadable_values_is_a_threshold(tmp_path: Path) -> None:
    baseline = learned(tmp_path, drawn(number, N_TRAIN, seed=3))
    values = ["?!"] * (N_WINDOW // 10) + drawn(number, N_WINDOW, seed=4)
    found = feature(judged(tmp_path, baseline, values, "--unreadable-values-threshold", "0.2"))
    assert (found.verdict, found.violation) == (Verdict.NO_DRIFT, None)


def test_a_category_may_be_called_none(tmp_path: Path) -> None:
    grades = drawn(lambda rng: rng.choice(["None", "-", "mild"]), N_TRAIN, seed=3)
    baseline = learned(tmp_path, grades, "--missing-value", "")
    found = feature(judged(tmp_path, baseline, ["None"] * N_WINDOW, "--missing-value", ""))
    assert (found.missing_fraction, found.unseen_fraction, found.verdict) == (0.0, 0.0, Verdict.DRIFT)


def test_a_word_that_is_read_as_missing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learned(tmp_path, ["None", "mild", "-", "None"])
    assert (
        "column 'x': 3 cells are read as missing ('-', 'None'); if they are a value of their own, name the missing "
        "values"
    ) in caplog.messages


def test_a_number_may_mean_missing(tmp_path: Path) -> None:
    baseline = learned(tmp_path, drawn(with_gaps("-999", number), N_TRAIN, seed=3), "--missing-value=-999")
    values = drawn(with_gaps(-999.0, lambda rng: rng.gauss(40, 10)), N_WINDOW, seed=4)
    found = feature(judged(tmp_path, baseline, values, as_json=True))
    assert found.verdict is Verdict.NO_DRIFT
    assert found.missing_fraction == pytest.approx(0.3, abs=0.05)


def test_other_missing_values_than_the_baselines_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = learned(tmp_path, ["1", "2"], "--missing-value", "NA")
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "a.jsonl").write_text("{}\n")
    paths = ("--dataset-source", str(tmp_path / "capture"), "--baseline", str(baseline), "--output", str(tmp_path))
    assert main(["monitor", *paths, "--missing-value", "NULL"]) == 2
    assert "--missing-value must be as the baseline was learned with ('', 'NA'), got '', 'NULL'" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("trained", "sent"),
    [
        (["1", "2", "x"], ["1.0", "2e0", "x"]),
        (["1.0", "2.0", "x"], [1, 2.0, "x"]),
        (["1000", "2000", "x"], ["1e3", 2e3, " x "]),
        (["True", "False"], [True, False]),
        (["true", "false"], ["TRUE", 0]),
        (["1", "0"], ["True", False]),
        (["Zürich", "Genève"], ["Zu\u0308rich", "Gene\u0300ve"]),
        (["02", "17", "x"], [2, "17", "x"]),
        (["2", "17", "x"], ["02", "017", "x"]),
    ],
)
def test_equal_values_are_the_same_value(tmp_path: Path, trained: list[str], sent: list[Any]) -> None:
    cells = drawn(lambda rng: trained[rng.randrange(len(trained))], N_TRAIN, seed=3)
    values = drawn(lambda rng: sent[rng.randrange(len(sent))], N_WINDOW, seed=3)
    found = feature(judged(tmp_path, learned(tmp_path, cells), values, as_json=True))
    assert (found.verdict, dict(found.unreadable)) == (Verdict.NO_DRIFT, {})
    assert not found.unseen_fraction
    assert not found.out_of_range_fraction

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
from plumbline.contract.records import DriftReport, FeatureReport, FeatureType, Status, Verdict, Violation
from plumbline.drift.report.metrics import of_report

N_TRAIN, N_WINDOW = 3000, 1500
ABSENT = object()
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
                        "data": json.dumps([_row(value, other)]) if as_json else f"{value},{other}",
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


def _row(value: Any, other: float) -> Any:
    return {"noise": other} if value is ABSENT else [value, other]


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
        "column 'x': 3 cells are read as missing ('-', 'None'); if they are a value of their own, name what is "
        "missing: --missing-value"
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


def test_replaced_postcodes_are_drift(tmp_path: Path) -> None:
    known, others = (random.Random(seed).sample(range(10_000, 99_999), 400) for seed in (5, 6))
    baseline = learned(tmp_path, drawn(lambda rng: str(rng.choice(known)), N_TRAIN, seed=3))
    found = feature(judged(tmp_path, baseline, drawn(lambda rng: rng.choice(others), N_WINDOW, seed=4), as_json=True))
    assert (found.type, found.verdict) == (FeatureType.CATEGORICAL, Verdict.DRIFT)
    assert found.unseen_fraction == pytest.approx(1.0, abs=0.02)


NOT_A_FEATURE = [
    ([*map(str, range(N_TRAIN))], [*range(10**6, 10**6 + N_WINDOW)], "identifier"),
    ([f"C-{n:06d}" for n in range(N_TRAIN)], [f"D-{n:06d}" for n in range(N_WINDOW)], "identifier"),
    ([f"2026-01-{n % 28 + 1:02d}" for n in range(N_TRAIN)], ["2026-03-01T00:30:00Z"] * N_WINDOW, "time_column"),
]


@pytest.mark.parametrize(("trained", "sent", "code"), NOT_A_FEATURE)
def test_identifiers_and_times_are_counted_and_not_judged(
    tmp_path: Path, trained: list[str], sent: list[Any], code: str
) -> None:
    baseline = learned(tmp_path, trained)
    report = judged(tmp_path, baseline, [*sent[:-50], *[None] * 50], as_json=True)
    found = feature(report)
    assert (report.verdict, found.verdict, found.violation) == (Verdict.NO_DRIFT, Verdict.NOT_JUDGED, None)
    assert found.reason is not None
    assert found.reason.code == code
    assert found.missing_fraction == 50 / N_WINDOW
    # No value of it is kept.
    document = json.loads((baseline / "baseline.json").read_text())
    assert document["counts"][0]["values"] == ["other "]


def test_an_identifier_that_stops_coming_is_a_violation(tmp_path: Path) -> None:
    baseline = learned(tmp_path, [*map(str, range(N_TRAIN))])
    found = feature(judged(tmp_path, baseline, [ABSENT] * N_WINDOW, as_json=True))
    assert (found.verdict, found.violation) == (Verdict.NOT_JUDGED, Violation.MISSING_COLUMN)


def test_an_identifier_does_not_switch_the_projection_off(tmp_path: Path) -> None:
    def age(rng: random.Random) -> float:
        return round(rng.gauss(40, 10), 2)

    def chance(years: float) -> float:
        return min(0.99, max(0.01, (years - 25) / 30))

    def labelled(name: str, first: int, n: int, seed: int) -> list[float]:
        ages, rng = drawn(age, n, seed), random.Random(seed)
        lines = [(f"C{first + i}", years, int(rng.random() < chance(years))) for i, years in enumerate(ages)]
        with (tmp_path / name).open("w", newline="") as stream:
            csv.writer(stream).writerows([("customer", "age", "label"), *lines])
        return ages

    labelled("train.csv", 0, N_TRAIN, seed=1)
    chances = [chance(years) for years in labelled("test.csv", 10**5, 1200, seed=2)]
    (tmp_path / "predictions.csv").write_text("probability\n" + "".join(f"{one}\n" for one in chances))
    files = [part for name in ("train", "test", "predictions") for part in (f"--{name}", str(tmp_path / f"{name}.csv"))]
    baseline = tmp_path / "learned"
    assert main(["baseline", "--target-label", "label", *files, "--output", str(baseline)]) == 0

    def side(text: str) -> dict[str, str]:
        return {"observedContentType": "text/csv", "mode": "INPUT", "data": text, "encoding": "CSV"}

    records = [
        {
            "captureData": {
                "endpointInput": side(f"C{2 * 10**5 + number},{years}"),
                "endpointOutput": side(f"{chance(years)}"),
            },
            "eventMetadata": {"eventId": f"e{number}", "inferenceTime": "2026-03-01T00:30:00Z"},
            "eventVersion": "0",
        }
        for number, years in enumerate(drawn(age, N_WINDOW, seed=3))
    ]
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    paths = ("--dataset-source", str(tmp_path / "capture"), "--baseline", str(baseline), "--output", str(tmp_path))
    assert main(["monitor", *paths]) == 0
    report = DriftReport.from_json((tmp_path / "drift_report.json").read_text())
    assert report.verdict is Verdict.NO_DRIFT
    assert report.projected_accuracy.status is Status.ESTIMATED


@pytest.mark.parametrize("kind", ["id", "time", "ignore"])
def test_a_type_may_be_declared_when_learning_or_when_judging(tmp_path: Path, kind: str) -> None:
    cells = drawn(colour, N_TRAIN, seed=3)
    for folder, at_learning, at_judging in ((tmp_path / "a", True, False), (tmp_path / "b", False, True)):
        folder.mkdir()
        declared = ("--feature-type", f"x={kind}")
        baseline = learned(folder, cells, *(declared if at_learning else ()))
        report = judged(folder, baseline, ["pink"] * N_WINDOW, *(declared if at_judging else ()))
        assert (report.verdict, feature(report).verdict) == (Verdict.NO_DRIFT, Verdict.NOT_JUDGED)


def test_what_an_ignored_column_holds_violates_nothing(tmp_path: Path) -> None:
    baseline = learned(tmp_path, drawn(number, N_TRAIN, seed=3))
    report = judged(tmp_path, baseline, ["n/k"] * N_WINDOW, "--feature-type", "x=ignore")
    assert (report.verdict, feature(report).violation) == (Verdict.NO_DRIFT, None)
    assert feature(report).unreadable_fraction == 1.0


def test_a_declared_feature_is_one(tmp_path: Path) -> None:
    baseline = learned(tmp_path, [*map(str, range(N_TRAIN))], "--feature-type", "x=numeric")
    found = feature(judged(tmp_path, baseline, [*map(str, range(10**6, 10**6 + N_WINDOW))]))
    assert (found.type, found.verdict) == (FeatureType.NUMERIC, Verdict.DRIFT)


@pytest.mark.parametrize(
    ("learning", "judging", "message"),
    [
        (["x=colour"], [], "--feature-type must be NAME=TYPE, once for each column, with a type of numeric"),
        (["numeric"], [], "--feature-type must be NAME=TYPE"),
        (["x=id", "x=time"], [], "--feature-type must be NAME=TYPE, once for each column"),
        (["z=id"], [], "types must be declared for columns of"),
        (["x=numeric"], [], "a column that is numeric in training must hold finite numbers, got 'red'"),
        ([], ["x=numeric"], "type of 'x' must be as the baseline was learned, categorical, got numeric; learn the"),
        (["x=id"], ["x=categorical"], "type of 'x' must be as the baseline was learned, id, got categorical"),
        ([], ["z=id"], "the policy's features must be the baseline's, got 'z'"),
    ],
)
def test_a_type_that_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], learning: list[str], judging: list[str], message: str
) -> None:
    (tmp_path / "train.csv").write_text("x,noise\nred,1\nblue,2\n")
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "a.jsonl").write_text("{}\n")
    learn, judge = ([f"--feature-type={text}" for text in texts] for texts in (learning, judging))
    baseline = ("--train", str(tmp_path / "train.csv"), "--output", str(tmp_path / "learned"))
    codes = [main(["baseline", *baseline, *learn])]
    if judging:
        paths = ("--dataset-source", str(tmp_path / "capture"), "--output", str(tmp_path / "out"))
        codes.append(main(["monitor", *paths, "--baseline", str(tmp_path / "learned"), *judge]))
    assert codes[-1] == 2
    assert message in capsys.readouterr().err

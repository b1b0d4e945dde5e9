import tarfile
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.evaluation import Evaluation
from plumbline.contract.names import MlPath, Variable
from plumbline.contract.retraining import RetrainingFile
from plumbline.contract.retraining_jobs import JobInput, JobOutput
from plumbline.data.population import generate
from plumbline.data.rows import LabelledRows
from plumbline.drift.reference.baseline import load
from plumbline.drift.retraining.cli import main
from tests.unit.drift.retraining.builders import TARGET, folder, trained_model

ROWS, TEST, HOLDOUT = generate(2000, 1), generate(800, 2), generate(900, 3)


def opposite(rows: LabelledRows) -> LabelledRows:
    other = {"<=50K": ">50K", ">50K": "<=50K"}
    return LabelledRows(rows.header, rows.rows, tuple(other[label] for label in rows.labels))


def test_the_challengers_baseline_has_the_types_that_its_training_was_given(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    types = '{"fnlwgt": "id", "education-num": "categorical"}'
    typed = trained_model(tmp_path / "typed", ROWS, "--num_round", "5", "--feature_types", types)
    give(tmp_path, models | {"typed": typed}, challenger="typed", champion="poor")

    assert call(tmp_path, monkeypatch) == 0

    kinds = {spec.name: spec.column_type for spec in load(folder(tmp_path, JobOutput.BASELINE)).specs}
    assert (kinds["fnlwgt"], kinds["education-num"], kinds["age"]) == ("id", "categorical", "numeric")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    ages = LabelledRows(("age",), tuple((cell,) for cell in ROWS.column("age")), ROWS.labels)
    rows = {"good": ROWS, "poor": opposite(ROWS), "narrow": ages}
    return {name: trained_model(root / name, found, "--num_round", "20") for name, found in rows.items()}


def give(root: Path, models: dict[str, Path], *, challenger: str, champion: str) -> None:
    for which, name, file in (
        (JobInput.CHALLENGER, challenger, "model.tar.gz"),
        (JobInput.CHAMPION, champion, "model-1f.tar.gz"),
    ):
        folder(root, which).mkdir(parents=True)
        with tarfile.open(folder(root, which) / file, "w:gz") as archive:
            for path in models[name].iterdir():
                archive.add(path, path.name)
    TEST.write_csv(folder(root, JobInput.TEST) / "test.csv", TARGET)
    HOLDOUT.write_csv(folder(root, JobInput.HOLDOUT) / RetrainingFile.HOLDOUT, TARGET)


def call(root: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setenv(Variable.ML_ROOT, str(root))
    given = ["--target_label", TARGET, "--holdout_margin", "0.02", "--test_margin", "0.05", "--slice_margin", "0.05"]
    return main(["evaluate", *given, "--minimum_slice_rows", "100", *more])


def evaluation(root: Path) -> Evaluation:
    return Evaluation.from_json((folder(root, JobOutput.EVALUATION) / RetrainingFile.EVALUATION).read_text())


def test_a_better_challenger_is_accepted_with_its_baseline(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, models, challenger="good", champion="poor")

    assert call(tmp_path, monkeypatch, "--slice_columns", "sex", "--segment_column", "sex") == 0
    found = evaluation(tmp_path)
    assert found.accepted
    assert {one.name for one in found.slices} == {"sex=Male", "sex=Female"}
    assert (found.holdout.n_rows, found.test.n_rows) == (900, 800)
    baseline = load(folder(tmp_path, JobOutput.BASELINE))
    assert (baseline.n_rows, baseline.target_label, baseline.segment_column) == (900, TARGET, "sex")
    assert baseline.test is not None
    assert baseline.test.probabilities is not None
    assert baseline.test.labels == HOLDOUT.labels
    right = (baseline.test.probabilities >= 0.5) == [label == ">50K" for label in HOLDOUT.labels]
    assert sum(right) / 900 == pytest.approx(found.holdout.challenger)
    assert (tmp_path / MlPath.MESSAGE).read_text().startswith("Completed: the challenger is accepted: holdout: ")
    text = (folder(tmp_path, JobOutput.EVALUATION) / RetrainingFile.EVALUATION_TEXT).read_text()
    assert text.startswith("The challenger is accepted.\n")


def test_a_worse_challenger_is_rejected_and_the_job_succeeds(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, models, challenger="poor", champion="good")

    assert call(tmp_path, monkeypatch, "--slice_columns", "", "--segment_column", "") == 0
    found = evaluation(tmp_path)
    assert (found.accepted, found.holdout.passed, found.test.passed, found.slices) == (False, False, False, ())


@pytest.mark.parametrize(
    ("champion", "more", "message"),
    [
        ("narrow", (), "the champion and the labelled rows must have the same features, got a difference in capital"),
        ("good", ("--slice_columns", "colour"), "slice columns must be features of the model, got colour"),
        ("good", ("--segment_column", "colour"), "colour"),
        ("good", ("--holdout_margin", "much"), "--holdout_margin must be a number, got 'much'"),
        ("good", ("--target_label", "colour"), "must predict the same labels of 'colour'"),
    ],
)
def test_what_cannot_be_compared_is_told(
    tmp_path: Path,
    models: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    champion: str,
    more: tuple[str, ...],
    message: str,
) -> None:
    give(tmp_path, models, challenger="good", champion=champion)

    assert call(tmp_path, monkeypatch, *more) == 2
    assert message in (tmp_path / MlPath.MESSAGE).read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.unlink(), "the folder of the champion must hold one model artifact, got none"),
        (lambda file: file.write_bytes(b"no archive"), "the champion cannot be read: model-1f.tar.gz must be a"),
        (lambda file: (file.parent / "x").write_bytes(b""), "must hold one model artifact, got model-1f.tar.gz, x"),
    ],
)
def test_an_artifact_that_is_none_is_told(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, change: object, message: str
) -> None:
    give(tmp_path, models, challenger="good", champion="good")
    assert callable(change)
    change(folder(tmp_path, JobInput.CHAMPION) / "model-1f.tar.gz")

    assert call(tmp_path, monkeypatch) == 2
    assert message in (tmp_path / MlPath.MESSAGE).read_text()


def give_past(root: Path, n_rows: int, *, name: str | None = "history.csv") -> None:
    """Pack what the training job left: rows of the past with their time and probability."""
    rows = generate(n_rows, 4)
    lines = [",".join((*rows.header, TARGET, "when", "probability"))]
    for number, (row, label) in enumerate(zip(rows.rows, rows.labels, strict=True)):
        time = f"2026-{1 + number // 672:02}-{1 + number // 24 % 28:02}T{number % 24:02}:00:00Z"
        lines.append(",".join((*row, label, time, "0.75" if label == ">50K" else "0.25")))
    target = folder(root, JobInput.TRAINED)
    target.mkdir(parents=True)
    (root / "packed.csv").write_text("\n".join(lines) + "\n")
    with tarfile.open(target / "output.tar.gz", "w:gz") as archive:
        if name:
            archive.add(root / "packed.csv", name)
        archive.add(Path(__file__), "metrics.json")


def test_the_challengers_baseline_keeps_the_past_of_its_training(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, models, challenger="good", champion="poor")
    give_past(tmp_path, 1000)

    assert call(tmp_path, monkeypatch, "--time_column", "when") == 0

    history = load(folder(tmp_path, JobOutput.BASELINE)).history
    assert history is not None
    assert (history.time_column, history.n_rows, len(history.windows[200])) == ("when", 1000, 5)
    assert history.start == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"n_rows": 399}, "must have at least 400 rows to show windows of the past, got 399"),
        ({"n_rows": 400, "name": None}, "the training job left no history.csv: the baseline has no history"),
    ],
)
def test_without_enough_of_a_past_the_challenger_is_judged_all_the_same(
    tmp_path: Path,
    models: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    given: dict[str, Any],
    told: str,
) -> None:
    give(tmp_path, models, challenger="good", champion="poor")
    give_past(tmp_path, **given)

    assert call(tmp_path, monkeypatch, "--time_column", "when") == 0
    assert load(folder(tmp_path, JobOutput.BASELINE)).history is None
    assert evaluation(tmp_path).accepted
    assert told in caplog.text


def test_a_past_that_cannot_be_read_fails_the_job(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tmp_path, models, challenger="good", champion="poor")
    give_past(tmp_path, 400)

    assert call(tmp_path, monkeypatch, "--time_column", "hour") == 2
    assert "must have the time column 'hour'" in (tmp_path / MlPath.MESSAGE).read_text()
    (folder(tmp_path, JobInput.TRAINED) / "output.tar.gz").write_bytes(b"none")
    assert call(tmp_path, monkeypatch, "--time_column", "when") == 2
    assert "the training job's output cannot be read" in (tmp_path / MlPath.MESSAGE).read_text()

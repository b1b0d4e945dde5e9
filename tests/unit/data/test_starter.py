import csv
import tarfile
from pathlib import Path

import numpy as np
import pytest
from inference import ServedModel, model_fn

from plumbline.contract.training import OUTPUT_PREDICTIONS, PROBABILITY_COLUMN, positive_label
from plumbline.data import population, starter
from plumbline.data.census import FEATURES, TARGET
from plumbline.data.rows import LabelledRows
from plumbline.drift.preprocessing import Preprocessor
from plumbline.local.aws.objects import unpack
from tests.unit.drift.builders import learn_baseline

DATA = starter.STARTER / "data"
SIZE_LIMIT_BYTES = 1_500_000


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = tmp_path_factory.mktemp("model")
    unpack(starter.STARTER / "model.tar.gz", folder)
    return model_fn(str(folder))


def committed_predictions() -> list[float]:
    with (starter.STARTER / "baseline" / OUTPUT_PREDICTIONS).open(newline="") as stream:
        return [float(row[PROBABILITY_COLUMN]) for row in csv.DictReader(stream)]


def test_committed_model_makes_the_committed_predictions(committed: ServedModel) -> None:
    rows = LabelledRows.read_csv(DATA / "test.csv", TARGET)

    made = committed.booster.inplace_predict(committed.preprocessor.transform(rows.rows))

    np.testing.assert_allclose(made, committed_predictions(), atol=1e-6)


def test_committed_model_is_better_than_guessing(committed: ServedModel) -> None:
    rows = LabelledRows.read_csv(DATA / "test.csv", TARGET)
    positive = np.array([label == positive_label(rows.labels) for label in rows.labels])
    predicted = np.array(committed_predictions()) >= 0.5

    assert np.mean(predicted == positive) > np.mean(~positive) + 0.03


def test_committed_data_is_what_the_code_draws() -> None:
    drawn = population.split(starter.SEED, n_train=starter.N_TRAIN, n_test=starter.N_TEST, n_pool=0)

    assert LabelledRows.read_csv(DATA / "train.csv", TARGET) == drawn.train
    assert LabelledRows.read_csv(DATA / "test.csv", TARGET) == drawn.test


def test_committed_baseline_is_what_the_code_learns(tmp_path: Path) -> None:
    committed = starter.STARTER / "baseline"
    learn_baseline(
        train=DATA / "train.csv",
        test=DATA / "test.csv",
        predictions=committed / OUTPUT_PREDICTIONS,
        target_label=TARGET,
        output=tmp_path,
    )

    assert contents(tmp_path) == contents(committed)


def test_starter_is_small() -> None:
    assert sum(path.stat().st_size for path in starter.STARTER.rglob("*") if path.is_file()) < SIZE_LIMIT_BYTES


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    starter.build(folder, n_train=300, n_test=100, seed=3)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_building_again_gives_equal_bytes(built: Path, tmp_path: Path) -> None:
    starter.build(tmp_path, n_train=300, n_test=100, seed=3)

    assert contents(tmp_path) == contents(built)


def test_build_leaves_the_files_that_the_repository_commits(built: Path) -> None:
    assert contents(built).keys() == contents(starter.STARTER).keys()


def test_built_model_holds_a_preprocessor_of_the_training_columns(built: Path) -> None:
    with tarfile.open(built / "model.tar.gz") as archive:
        packed = archive.extractfile("preprocessor.json")
        assert packed is not None
        text = packed.read().decode()

    assert Preprocessor.from_json(text).names == FEATURES

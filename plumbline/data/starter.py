"""Train the starter model on the synthetic population and write what the repository commits of it.

`python -m plumbline.starter` (`make starter`) runs the training script as SageMaker does: channels as folders, SM_*
variables, hyperparameters as arguments. Its output makes `cdk synth` work before any training of one's own.
"""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from plumbline.contract.training import CHANNEL_TEST, CHANNEL_TRAIN, MODEL_BOOSTER, MODEL_PREPROCESSOR, OUTPUT_BASELINE
from plumbline.data import population
from plumbline.data.census import TARGET

REPOSITORY = Path(__file__).resolve().parents[2]
STARTER = REPOSITORY / "starter"
SCRIPT = REPOSITORY / "model" / "train.py"

SEED = 20260101
N_TRAIN = 4_000
N_TEST = 2_000


def build(output: Path, *, n_train: int = N_TRAIN, n_test: int = N_TEST, seed: int = SEED) -> None:
    """Write ``model.tar.gz``, ``data/`` and ``baseline/`` below `output`; the same seed gives the same bytes.

    Raises
    ------
    subprocess.CalledProcessError
        If the training script fails; its own words are on standard error.
    """
    rows = population.split(seed, n_train=n_train, n_test=n_test, n_pool=0)
    train, test = output / "data" / "train.csv", output / "data" / "test.csv"
    rows.train.write_csv(train, TARGET)
    rows.test.write_csv(test, TARGET)
    with tempfile.TemporaryDirectory() as work:
        job = Path(work)
        _run_training(train, test, job)
        (output / "model.tar.gz").write_bytes(_archive(job / "model"))
        shutil.copytree(job / "output" / OUTPUT_BASELINE, output / "baseline", dirs_exist_ok=True)


def _run_training(train: Path, test: Path, job: Path) -> None:
    """Run the script in a process of its own; one thread, so that every machine trains the same trees."""
    for channel, file in ((CHANNEL_TRAIN, train), (CHANNEL_TEST, test)):
        (job / channel).mkdir()
        (job / channel / file.name).write_bytes(file.read_bytes())
    environment = {
        "PYTHONPATH": str(REPOSITORY),
        f"SM_CHANNEL_{CHANNEL_TRAIN.upper()}": str(job / CHANNEL_TRAIN),
        f"SM_CHANNEL_{CHANNEL_TEST.upper()}": str(job / CHANNEL_TEST),
        "SM_MODEL_DIR": str(job / "model"),
        "SM_OUTPUT_DATA_DIR": str(job / "output"),
    }
    command = [sys.executable, str(SCRIPT), "--target_label", TARGET, "--nthread", "1"]
    subprocess.run(command, env=os.environ | environment, check=True)  # noqa: S603 - our own script


def _archive(folder: Path) -> bytes:
    """Return a .tar.gz of the model's files without times and owners: equal models are equal bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in sorted((MODEL_BOOSTER, MODEL_PREPROCESSOR)):
                body = (folder / name).read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(body), 0o644
                archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


if __name__ == "__main__":
    build(STARTER)

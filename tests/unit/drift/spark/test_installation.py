import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.drift.errors import ClusterError
from plumbline.drift.spark.cluster import follow, lead, security
from plumbline.drift.spark.installation import lay_out, send_packages

TREE = Path(__file__).parents[4]


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o700)
    return file


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a Spark whose daemons say what they were started with, and then only wait."""
    script(tmp_path / "spark" / "bin" / "spark-class", f'echo "$@" >> {tmp_path}/daemons; exec sleep 600')
    java = script(tmp_path / "real java", 'for word; do echo "$word"; done')
    return lay_out(tmp_path / "work", security("abc"), spark_home=tmp_path / "spark", java=java)


def test_java_is_not_asked_for_the_module_that_it_lacks(installed: dict[str, str]) -> None:
    java = Path(installed["JAVA_HOME"], "bin", "java")
    words = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "-cp", "a b:c", "Main", "", "--add-modules=other"]

    said = subprocess.run([java, *words], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    assert said[-6:] == ["-Xmx1g", "-cp", "a b:c", "Main", "", "--add-modules=other"]
    assert "--add-modules=jdk.incubator.vector" not in said


def test_only_this_user_may_read_the_secret(installed: dict[str, str]) -> None:
    file = Path(installed["SPARK_CONF_DIR"], "spark-defaults.conf")

    assert "spark.authenticate.secret abc\n" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def daemons(folder: Path) -> list[str]:
    return sorted((folder / "daemons").read_text().splitlines())


def test_the_first_instance_has_master_and_worker(installed: dict[str, str], tmp_path: Path) -> None:
    with lead("algo-1", installed) as master:
        wait_for_lines(tmp_path / "daemons", 2)

    assert master == "spark://algo-1:7077"
    assert daemons(tmp_path) == [
        "org.apache.spark.deploy.master.Master --webui-port 0 --host algo-1 --port 7077",
        "org.apache.spark.deploy.worker.Worker --webui-port 0 --host algo-1 spark://algo-1:7077",
    ]


def wait_for_lines(file: Path, count: int) -> None:
    while not file.exists() or file.read_text().count("\n") < count:
        os.sched_yield()


def test_another_instance_works_until_the_first_is_done(installed: dict[str, str], tmp_path: Path) -> None:
    alive = []

    def wait(is_alive: object) -> bool:
        wait_for_lines(tmp_path / "daemons", 1)
        alive.append(callable(is_alive) and is_alive())
        return True

    follow("algo-2", "algo-1", installed, wait)

    assert alive == [True]
    assert daemons(tmp_path) == [
        "org.apache.spark.deploy.worker.Worker --webui-port 0 --host algo-2 spark://algo-1:7077"
    ]


def test_fails_with_the_first_instance(installed: dict[str, str]) -> None:
    with pytest.raises(ClusterError, match="the run must succeed on algo-1, got no word of it on algo-2"):
        follow("algo-2", "algo-1", installed, lambda is_alive: False)


def test_fails_when_the_worker_ends_early(installed: dict[str, str], tmp_path: Path) -> None:
    script(tmp_path / "spark" / "bin" / "spark-class", "exit 7")

    def wait(is_alive: object) -> bool:
        while callable(is_alive) and is_alive():
            os.sched_yield()
        return False

    with pytest.raises(ClusterError, match="the worker on algo-2 must run to the end, got exit code 7"):
        follow("algo-2", "algo-1", installed, wait)


class FakeContext:
    """Takes the archives that executors shall import from."""

    def __init__(self) -> None:
        self.archives: list[str] = []

    def addPyFile(self, path: str) -> None:
        self.archives.append(path)


class FakeSession:
    def __init__(self) -> None:
        self.sparkContext = FakeContext()


def test_a_cluster_of_ones_own_gets_the_program(tmp_path: Path) -> None:
    session = FakeSession()
    send_packages(session, tmp_path)

    (archive,) = session.sparkContext.archives
    finished = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import plumbline.contract.names, plumbline.drift.errors; print(plumbline.contract.names.__file__)",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": archive},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.startswith(archive)


def test_the_program_is_found_where_the_image_has_it(tmp_path: Path) -> None:
    for package in (TREE / "contract", TREE / "container" / "drift"):
        shutil.copytree(package, tmp_path / "plumbline" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TREE / "plumbline" / "__init__.py", tmp_path / "plumbline")
    program = (
        "from pathlib import Path; from types import SimpleNamespace as Fake; from zipfile import ZipFile;"
        "from plumbline.drift.spark.installation import send_packages;"
        "context = Fake(addPyFile=lambda path: print(*ZipFile(path).namelist(), sep='\\n'));"
        "send_packages(Fake(sparkContext=context), Path())"
    )
    finished = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"plumbline/contract/names.py", "plumbline/drift/errors.py"} <= set(finished.stdout.splitlines())

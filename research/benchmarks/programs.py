"""The programs that are compared: ours as its image runs it, and the peers in their own environments."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from plumbline.contract.names import Argument, MonitorVariable, ReportFile, Switch, Variable
from plumbline.contract.records import DriftReport
from plumbline.local import environments
from plumbline.local.aws.images import docker
from plumbline.local.aws.images.store import Image, ImageStore
from research.benchmarks import captures

OURS: Final = "plumbline"
ON_SPARK: Final = f"{OURS} on Spark"

_ROOT: Final = environments.ROOT
_QUIET: Final = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "WHYLOGS_NO_ANALYTICS": "True"}
"""Usage reports are off: they would add the network's time to the peers'."""


@dataclass(frozen=True)
class BenchmarkTask:
    """One window to judge: a peer reads the reference's files, ours the baseline learned from them beforehand."""

    reference: captures.ReferenceCsv
    baseline: Path
    window: Path
    output: Path
    """Folder for what the program writes; empty before it starts."""


@dataclass(frozen=True)
class ProgramCommand:
    """One process to start."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    one_core: bool = True
    """Whether it may use one core only."""


class Program(Protocol):
    """One thing to measure."""

    @property
    def name(self) -> str:
        """Return what the results call it."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Return package to version, of what does the work."""

    def command(self, task: BenchmarkTask) -> ProgramCommand:
        """Return the process that performs the task."""

    def rows_judged(self, task: BenchmarkTask) -> int:
        """Return the number of rows that a finished run judged, by its own result."""


@dataclass(frozen=True)
class Peer:
    """A program of `research/benchmarks/peers`, an environment of its own."""

    name: str
    module: str
    python: Path
    versions: Mapping[str, str]

    def command(self, task: BenchmarkTask) -> ProgramCommand:
        """Return the process that compares the window with the reference."""
        paths = (task.reference.train, task.reference.test, task.window, self._result(task))
        words = (self.python, "-m", f"research.benchmarks.peers.{self.module}", *paths)
        return ProgramCommand(tuple(map(str, words)), {**_inherited(), **_QUIET, "PYTHONPATH": str(_ROOT)}, task.output)

    def rows_judged(self, task: BenchmarkTask) -> int:
        """Return the number of rows in the peer's result."""
        return int(json.loads(self._result(task).read_text())["rows"])

    def _result(self, task: BenchmarkTask) -> Path:
        return task.output / "result.json"


@dataclass(frozen=True)
class Container:
    """Our container program, in the image that its Dockerfile describes."""

    image: Image
    versions: Mapping[str, str]
    name: str = OURS
    extra: Mapping[str, str] = field(default_factory=dict)
    """Environment variables beyond those that Model Monitor sets."""
    one_core: bool = True

    def command(self, task: BenchmarkTask) -> ProgramCommand:
        """Return the job that Model Monitor would start for the window's hour."""
        words = self.image.command([], [Argument.BASELINE, str(task.baseline)])
        variables: dict[str, str] = {
            MonitorVariable.DATASET_FORMAT: '{"sagemakerCaptureJson": {}}',
            MonitorVariable.DATASET_SOURCE: str(task.window),
            MonitorVariable.OUTPUT_PATH: str(task.output / "report"),
            MonitorVariable.PUBLISH_CLOUDWATCH_METRICS: Switch.DISABLED,
            MonitorVariable.ENDPOINT_NAME: captures.ENDPOINT,
            MonitorVariable.START_TIME: captures.WINDOW_START,
            MonitorVariable.END_TIME: captures.WINDOW_END,
            Variable.ML_ROOT: str(task.output / "ml"),
        }
        environment = {**_inherited(), **self.image.variables(), **variables, **self.extra}
        return ProgramCommand(tuple(words), environment, self.image.folder, self.one_core)

    def rows_judged(self, task: BenchmarkTask) -> int:
        """Return the number of rows in the drift report."""
        text = (task.output / "report" / ReportFile.DRIFT_REPORT).read_text()
        return DriftReport.from_json(text).n_rows


@dataclass(frozen=True)
class _PeerPackage:
    module: str
    packages: tuple[str, ...]


_PEERS: Final = {
    "reference": _PeerPackage("reference_rule", ("scikit-learn",)),
    "reference-today": _PeerPackage("reference_rule", ("scikit-learn",)),
    "evidently": _PeerPackage("evidently_preset", ("evidently",)),
    "nannyml": _PeerPackage("nannyml_univariate", ("nannyml",)),
    "alibi-detect": _PeerPackage("alibi_tabular", ("alibi-detect",)),
    "whylogs": _PeerPackage("whylogs_profiles", ("whylogs",)),
}
PEERS: Final = tuple(_PEERS)
_COMMON_PACKAGES: Final = ("pandas", "numpy", "scipy")


def peer(name: str) -> Peer:
    """Return a peer, ready to run.

    Raises
    ------
    local.environments.EnvironmentSetupError
        If its environment cannot be made here.
    """
    package = _PEERS[name]
    python = environments.ensure(_ROOT / "requirements" / f"bench-{name}.txt", name=f"bench-{name}")
    return Peer(name, package.module, python, _versions(python, (*package.packages, *_COMMON_PACKAGES)))


def container(workspace: Path) -> Container:
    """Build our image below `workspace` from the files of this checkout, and return its program.

    Raises
    ------
    local.environments.EnvironmentSetupError
        If its environment cannot be made here.
    """
    image = _build(workspace / "image", {})
    return Container(image, _versions(Path(image.python), _required("requirements.in")))


def container_on_spark(workspace: Path) -> Container:
    """Build our image with Spark, and return its program with every window read by Spark on all cores.

    Raises
    ------
    local.environments.EnvironmentSetupError
        If its environment cannot be made here.
    """
    # Deferred: it brings the CDK's own process.
    from plumbline.stacks.constructs.monitor.drift_image import SPARK

    image = _build(workspace / "image-spark", SPARK)
    packages = [*_required("requirements.in"), *_required("requirements-spark.in")]
    return Container(
        image,
        _versions(Path(image.python), packages),
        name=ON_SPARK,
        extra={Variable.SPARK_ABOVE_GB: "0"},
        one_core=False,
    )


def _build(workspace: Path, arguments: Mapping[str, str]) -> Image:
    context = workspace / "context"
    # Deferred: it brings the CDK's own process.
    from plumbline.stacks.constructs.monitor.drift_image import copy_context

    copy_context(_ROOT, context)
    return docker.build(
        context,
        context / "container" / "Dockerfile",
        ImageStore(workspace),
        lambda locks: environments.ensure(*locks, name="image"),
        arguments,
    )


def _required(file: str) -> list[str]:
    """Return the packages that one of the image's requirements files names."""
    lines = (_ROOT / "container" / file).read_text().splitlines()
    return [re.split("[=<>]", line)[0] for line in lines if line and not line.startswith(("#", "-"))]


def _versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    code = (
        "import json, platform, sys; from importlib.metadata import version; "
        "print(json.dumps({'python': platform.python_version()} | {name: version(name) for name in sys.argv[1:]}))"
    )
    printed = subprocess.run([python, "-I", "-c", code, *packages], check=True, capture_output=True, text=True)  # noqa: S603 - our own command line
    versions: dict[str, str] = json.loads(printed.stdout)
    return versions


def _inherited() -> dict[str, str]:
    """Return what every process needs; bytecode is written, as in any installed program."""
    return {name: os.environ[name] for name in ("HOME", "PATH", "LANG", "TMPDIR") if name in os.environ}

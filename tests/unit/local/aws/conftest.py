import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import START, FakeS3, RecordingPlane


@pytest.fixture
def clock() -> Clock:
    return Clock(START, real=lambda: 0.0)


@pytest.fixture
def plane(clock: Clock) -> RecordingPlane:
    return RecordingPlane(clock)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def processes() -> Iterator[Processes]:
    running = Processes()
    yield running
    running.stop()


@pytest.fixture
def archive() -> Callable[[Mapping[str, str]], bytes]:
    """Return a function that makes the bytes of a gzipped tar from names and texts."""

    def make(files: Mapping[str, str]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        return buffer.getvalue()

    return make


@pytest.fixture
def role() -> str:
    return "arn:aws:iam::000000000000:role/endpoint"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"

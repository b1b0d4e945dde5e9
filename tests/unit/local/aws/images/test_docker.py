import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.images import docker
from plumbline.local.aws.images.docker import STATE_VARIABLE
from plumbline.local.aws.images.dockerfile import DockerfileError
from plumbline.local.aws.images.store import Image, ImageError, ImageStore

BASE = "FROM python@sha256:" + "a" * 64
ROOT = Path(__file__).parents[5]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    (context / "program" / "tool").mkdir(parents=True)
    (context / "program" / "tool" / "__main__.py").write_text("print('hello')\n")
    (context / "lock.txt").write_text("# nothing\n")
    return context


def build(context: Path, lines: list[str], store: ImageStore, **arguments: str) -> Image:
    file = context / "Dockerfile"
    file.write_text("\n".join([BASE, *lines]) + "\n")
    return docker.build(
        context, file, store, lambda locks: Path("/made/from", *(lock.name for lock in locks)), arguments
    )


def test_built_image_has_the_files_and_settings_of_its_dockerfile(context: Path, folder: Path) -> None:
    lines = [
        "WORKDIR /opt/program",
        "ENV PYTHONPATH=/opt/program LIMIT=3",
        "COPY lock.txt ./requirements.txt",
        "RUN pip install --require-hashes -r requirements.txt",
        "COPY program/tool tool/",
        "USER 1000:1000",
        'ENTRYPOINT ["python", "-m", "tool"]',
    ]

    image = build(context, lines, ImageStore(folder))

    tree = Path(image.tree)
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()) == [
        "opt/program/requirements.txt",
        "opt/program/tool/__main__.py",
    ]
    assert (image.python, image.user, image.workdir) == ("/made/from/requirements.txt", "1000:1000", "/opt/program")
    assert image.variables()["PYTHONPATH"] == str(tree / "opt" / "program")
    assert image.variables()["LIMIT"] == "3"
    assert image.folder == tree / "opt" / "program"


LOCKS_BY_ARGUMENT = [
    "COPY lock.txt extra.txt ./",
    "RUN pip install --require-hashes -r lock.txt",
    "ARG EXTRA=lock.txt",
    "RUN pip install --no-build-isolation --require-hashes -r $EXTRA",
]


def test_a_build_argument_chooses_the_lock_files_of_an_image(context: Path, folder: Path) -> None:
    (context / "extra.txt").write_text("# nothing\n")

    default = build(context, LOCKS_BY_ARGUMENT, ImageStore(folder))
    chosen = build(context, LOCKS_BY_ARGUMENT, ImageStore(folder), EXTRA="extra.txt")

    assert (default.python, chosen.python) == ("/made/from/lock.txt", "/made/from/lock.txt/extra.txt")
    assert default.digest != chosen.digest


def test_fails_for_a_build_argument_that_nothing_declared(context: Path, folder: Path) -> None:
    with pytest.raises(DockerfileError, match="declared by ARG, got OTHER"):
        build(context, [], ImageStore(folder), OTHER="1")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("ARG LOCK", "ARG must be name=default"),
        ("ARG LOCK=$OTHER", "ARG must be name=default"),
        ("RUN pip install --require-hashes -r $UNDECLARED", "RUN must be"),
        ("EXPOSE 80", "EXPOSE"),
        ('CMD ["python"]', "CMD"),
        ("RUN useradd someone", "RUN"),
        ("COPY ../outside .", "outside"),
        ("COPY absent .", "absent"),
        ("RUN pip install --require-hashes -r absent.txt", "absent.txt"),
    ],
)
def test_fails_by_name_for_what_it_cannot_honour(context: Path, folder: Path, line: str, named: str) -> None:
    with pytest.raises(DockerfileError, match=named):
        build(context, [line], ImageStore(folder))


def test_same_context_gives_the_same_digest_and_another_file_another(context: Path, folder: Path) -> None:
    first = build(context, ["COPY program /program"], ImageStore(folder))
    again = build(context, ["COPY program /program"], ImageStore(folder))
    (context / "program" / "more.py").write_text("")
    other = build(context, ["COPY program /program"], ImageStore(folder))

    assert first.digest == again.digest != other.digest


class FakeEcr:
    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []

    def put_image(self, **image: Any) -> None:
        self.images.append(image)


def test_push_registers_repository_and_tag(context: Path, folder: Path) -> None:
    image = build(context, [], ImageStore(folder))
    ecr = FakeEcr()

    docker.push("000000000000.dkr.ecr.us-east-1.amazonaws.com/assets/drift:abc", image, ecr)

    assert (ecr.images[0]["repositoryName"], ecr.images[0]["imageTag"]) == ("assets/drift", "abc")
    assert image.digest in ecr.images[0]["imageManifest"]


def test_fails_to_push_a_name_without_registry(context: Path, folder: Path) -> None:
    with pytest.raises(ImageError, match="registry/repository:tag"):
        docker.push("drift:abc", build(context, [], ImageStore(folder)), FakeEcr())


def call(*arguments: str, state: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "plumbline.local.aws.images.docker", *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), STATE_VARIABLE: str(state)},
        input="password",
        capture_output=True,
        text=True,
        check=False,
    )


def test_calls_of_the_cdk_cli_build_and_tag_an_image_once(context: Path, folder: Path) -> None:
    (context / "Dockerfile").write_text(
        f'{BASE}\nARG TOOL=none\nCOPY program /program\nWORKDIR /program\nENTRYPOINT ["python", "-m", "tool"]\n'
    )

    assert call("login", "--username", "AWS", "--password-stdin", "registry", state=folder, cwd=context).returncode == 0
    assert call("inspect", "asset-1", state=folder, cwd=context).returncode == 1
    build_it = ("build", "--tag", "asset-1", "--build-arg", "TOOL=tool", "--platform", "linux/amd64", ".")
    built = call(*build_it, state=folder, cwd=context)
    assert built.returncode == 0, built.stderr
    assert call("inspect", "asset-1", state=folder, cwd=context).returncode == 0
    assert call("tag", "asset-1", "registry/repository:1", state=folder, cwd=context).returncode == 0

    image = ImageStore(folder).get("registry/repository:1")
    said = subprocess.run(image.command([], []), cwd=image.folder, capture_output=True, text=True, check=True)
    assert said.stdout == "hello\n"


def test_refusal_is_one_line_with_exit_code_1(context: Path, folder: Path) -> None:
    (context / "Dockerfile").write_text("FROM python:latest\n")

    refused = call("build", "--tag", "asset", ".", state=folder, cwd=context)

    assert refused.returncode == 1
    assert (
        refused.stderr
        == "docker build: FROM must name one image pinned by digest (name@sha256:...), got 'python:latest'\n"
    )

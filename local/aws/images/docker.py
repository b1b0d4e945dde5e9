"""Stands for the `docker` program of the CDK CLI (CDK_DOCKER): images are copied trees with their own interpreter.

Serves ``login``, ``inspect``, ``build``, ``tag`` and ``push``, the calls that image assets make. The images are kept
below the folder that STATE_VARIABLE names.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from plumbline.local.aws.images import dockerfile
from plumbline.local.aws.images.dockerfile import DockerfileError, Instruction
from plumbline.local.aws.images.store import Image, ImageError, ImageStore

STATE_VARIABLE: Final = "PLUMBLINE_LOCAL_STATE"
"""Environment variable with the embedded AWS's state folder."""

_PLATFORM: Final = "linux/amd64"
_CONFIG_TYPE: Final = "application/vnd.docker.container.image.v1+json"
_MANIFEST_TYPE: Final = "application/vnd.docker.distribution.manifest.v2+json"

MakeInterpreter = Callable[[Sequence[Path]], Path]
"""From hashed lock files to the interpreter of an environment that holds exactly them."""


@dataclass
class _Build:
    """An image while its instructions are carried out; without requirements it has the plain interpreter."""

    context: Path
    tree: Path
    make_interpreter: MakeInterpreter
    given: Mapping[str, str] = field(default_factory=dict)
    """Build arguments of the command line."""
    arguments: dict[str, str] = field(default_factory=dict)
    """Those that an ARG instruction has declared so far."""
    locks: list[Path] = field(default_factory=list)
    python: str = str(Path(sys.base_prefix) / "bin" / "python3")
    workdir: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)

    def run(self, instruction: Instruction) -> None:
        """Carry out one instruction."""
        steps: dict[str, Callable[[str], None]] = {
            "FROM": dockerfile.check_base,
            "ARG": self._declare,
            "COPY": self._copy,
            "ENV": lambda value: self.environment.update(dockerfile.assignments(value)),
            "WORKDIR": self._enter,
            "USER": lambda value: setattr(self, "user", value),
            "RUN": self._install,
            "ENTRYPOINT": self._set_entrypoint,
            "LABEL": lambda value: None,
        }
        if instruction.keyword not in steps:
            raise DockerfileError(f"instruction must be one of {', '.join(steps)}, got {instruction.keyword}")
        steps[instruction.keyword](instruction.value)

    def _enter(self, value: str) -> None:
        self.workdir = str(PurePosixPath(self.workdir) / value)
        self._inside(self.workdir).mkdir(parents=True, exist_ok=True)

    def _declare(self, value: str) -> None:
        name, default = dockerfile.argument(value)
        self.arguments[name] = self.given.get(name, default)

    def _install(self, value: str) -> None:
        lock = self._inside(dockerfile.locked_requirements(dockerfile.substituted(value, self.arguments)))
        if not lock.is_file():
            raise DockerfileError(f"RUN pip install must name a lock file copied before, got {value!r}")
        if lock not in self.locks:
            self.locks.append(lock)

    def finish(self) -> None:
        """Make the environment of all lock files, and refuse build arguments that nothing declared."""
        if unknown := sorted(self.given.keys() - self.arguments.keys()):
            raise DockerfileError(f"a build argument must be declared by ARG, got {', '.join(unknown)}")
        if self.locks:
            self.python = str(self.make_interpreter(self.locks))

    def _set_entrypoint(self, value: str) -> None:
        self.entrypoint = dockerfile.exec_form("ENTRYPOINT", value)

    def _copy(self, value: str) -> None:
        sources, destination = dockerfile.copy_paths(value)
        target = self._inside(destination)
        into_folder = destination.endswith("/") or destination == "." or len(sources) > 1 or target.is_dir()
        for source in sources:
            self._copy_one(source, target, into_folder)

    def _copy_one(self, source: str, target: Path, into_folder: bool) -> None:
        path = (self.context / source.lstrip("/")).resolve()
        if not path.is_relative_to(self.context) or not path.exists():
            raise DockerfileError(f"COPY must name files of the build context, got {source!r}")
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
            return
        destination = target / path.name if into_folder else target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, destination)

    def _inside(self, path: str) -> Path:
        """Return where a path of the image is in the tree; relative ones start at the working directory."""
        return self.tree / (PurePosixPath(self.workdir) / path).relative_to("/")


def build(
    context: Path,
    file: Path,
    store: ImageStore,
    make_interpreter: MakeInterpreter,
    arguments: Mapping[str, str] | None = None,
) -> Image:
    """Carry out a Dockerfile and return the image.

    Parameters
    ----------
    arguments
        Build arguments (``--build-arg``) by name.

    Raises
    ------
    DockerfileError
        For an instruction that cannot be honoured.
    """
    given = dict(arguments or {})
    digest = context_digest(context, file, given)
    tree = store.folder / digest / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    steps = _Build(context.resolve(), tree, make_interpreter, given)
    for instruction in dockerfile.parse(file.read_text(encoding="utf-8")):
        steps.run(instruction)
    steps.finish()
    return Image(
        tree=str(tree),
        digest=digest,
        python=steps.python,
        entrypoint=tuple(steps.entrypoint),
        environment=steps.environment,
        workdir=steps.workdir,
        user=steps.user,
    )


def context_digest(context: Path, file: Path, arguments: Mapping[str, str]) -> str:
    """Return the SHA-256 of the build context's names and contents, of the Dockerfile and of the build arguments."""
    digest = hashlib.sha256(file.read_bytes() + json.dumps(sorted(arguments.items())).encode())
    for path in sorted(path for path in context.rglob("*") if path.is_file()):
        digest.update(path.relative_to(context).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def push(reference: str, image: Image, ecr: Any) -> None:
    """Register an image under ``registry/repository:tag`` in ECR.

    Raises
    ------
    ImageError
        If the reference has another form.
    """
    repository, colon, tag = reference.partition("/")[2].rpartition(":")
    if not colon or not repository:
        raise ImageError(f"an image to push must be named registry/repository:tag, got {reference!r}")
    config = {
        "mediaType": _CONFIG_TYPE,
        "size": 0,
        "digest": f"sha256:{image.digest}",
    }
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST_TYPE, "config": config, "layers": []}
    ecr.put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=_MANIFEST_TYPE,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="docker", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    login = commands.add_parser("login")
    login.add_argument("--username", required=True)
    login.add_argument("--password-stdin", action="store_true", required=True)
    login.add_argument("registry")
    commands.add_parser("inspect").add_argument("reference")
    building = commands.add_parser("build")
    building.add_argument("--tag", required=True)
    building.add_argument("--platform", choices=[_PLATFORM], default=_PLATFORM)
    building.add_argument("--file", default="Dockerfile")
    building.add_argument("--build-arg", action="append", default=[], type=_build_argument)
    building.add_argument("context", type=Path)
    tagging = commands.add_parser("tag")
    tagging.add_argument("source")
    tagging.add_argument("target")
    commands.add_parser("push").add_argument("reference")
    return parser


def _build_argument(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _interpreter(locks: Sequence[Path]) -> Path:
    from plumbline.local import environments

    return environments.ensure(*locks, name="image")


def _serve(options: argparse.Namespace, store: ImageStore) -> int:
    if options.command == "login":
        sys.stdin.read()
        print("Login Succeeded")
    elif options.command == "inspect":
        return 0 if options.reference in store else 1
    elif options.command == "build":
        file = options.context / options.file
        store.put(options.tag, build(options.context, file, store, _interpreter, dict(options.build_arg)))
    elif options.command == "tag":
        store.put(options.target, store.get(options.source))
    else:
        import boto3

        push(options.reference, store.get(options.reference), boto3.client("ecr"))
    return 0


def main() -> int:
    """Answer one call of the CDK CLI; a refusal is one line on standard error and exit code 1."""
    options = _parser().parse_args()
    state = os.environ.get(STATE_VARIABLE)
    if not state:
        print(f"{STATE_VARIABLE} must name the embedded AWS's state folder, got nothing", file=sys.stderr)
        return 1
    try:
        return _serve(options, ImageStore(Path(state)))
    except (DockerfileError, ImageError) as error:
        print(f"docker {options.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

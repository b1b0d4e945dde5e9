"""Images that the Docker stand-in built: a copied file tree, its settings and an interpreter with its requirements."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

FOLDER: Final = "images"
"""Below the state folder."""

_PYTHONS: Final = ("python", "python3", "/usr/bin/python3", "/usr/local/bin/python", "/usr/local/bin/python3")


class ImageError(Exception):
    """Raised when an image is unknown or cannot be run without Docker."""


@dataclass(frozen=True)
class Image:
    """What one build left; `tree` holds the image's absolute paths, `python` is the interpreter that stands in."""

    tree: str
    digest: str
    python: str
    entrypoint: tuple[str, ...]
    environment: Mapping[str, str]
    workdir: str
    user: str

    def command(self, entrypoint: Sequence[str], arguments: Sequence[str]) -> list[str]:
        """Return the command of a container of this image; an empty `entrypoint` means the image's own.

        Raises
        ------
        ImageError
            If there is none, or its program is neither Python nor part of the image.
        """
        words = list(entrypoint or self.entrypoint)
        if not words:
            raise ImageError("the image must have an ENTRYPOINT in exec form, got none; add one to its Dockerfile")
        program = self.python if words[0] in _PYTHONS else self.host_path(words[0])
        if not Path(program).is_file():
            raise ImageError(f"the entrypoint's program must be python or a file of the image, got {words[0]!r}")
        return [program, *(self.host_path(word) for word in words[1:]), *arguments]

    @property
    def folder(self) -> Path:
        """The working directory on this machine."""
        return Path(self.host_path(self.workdir))

    def variables(self) -> dict[str, str]:
        """Return the image's environment with its paths mapped to this machine, and a PATH to its interpreter."""
        mapped = {
            name: os.pathsep.join(map(self.host_path, value.split(":"))) if value.startswith("/") else value
            for name, value in self.environment.items()
            if name != "PATH"
        }
        return {**mapped, "PATH": os.pathsep.join([str(Path(self.python).parent), "/usr/bin", "/bin"])}

    def host_path(self, path: str) -> str:
        """Return where an absolute path of the image is on this machine; other texts and paths stay as they are."""
        inside = Path(self.tree) / PurePosixPath(path).relative_to("/") if path.startswith("/") else None
        return str(inside) if inside is not None and inside.exists() else path


class ImageStore:
    """References (``name:tag`` or URI) to images, kept in a file so that the stand-in and the server share it."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER
        self._index = self.folder / "references.json"

    def __contains__(self, reference: str) -> bool:
        """Whether the reference was built or tagged."""
        return reference in self._read()

    def get(self, reference: str) -> Image:
        """Return an image.

        Raises
        ------
        ImageError
            If nothing was built under this reference.
        """
        references = self._read()
        if reference not in references:
            raise ImageError(f"image {reference!r} must be built and pushed first; known: {sorted(references)}")
        data = references[reference]
        return Image(**{**data, "entrypoint": tuple(data["entrypoint"])})

    def put(self, reference: str, image: Image) -> None:
        """Point a reference to an image."""
        references = {**self._read(), reference: asdict(image)}
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self._index.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(references, indent=1, sort_keys=True), encoding="utf-8")
        written.replace(self._index)

    def _read(self) -> dict[str, Any]:
        if not self._index.exists():
            return {}
        references: dict[str, Any] = json.loads(self._index.read_text(encoding="utf-8"))
        return references

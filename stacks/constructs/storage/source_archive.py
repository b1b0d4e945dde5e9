"""The model's code as SageMaker's script mode takes it: one archive for training and for serving."""

import ast
import gzip
import hashlib
import importlib.util
import io
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from aws_cdk import aws_iam as iam
from constructs import Construct

from plumbline.stacks.constructs.storage.input_source import TarGzAsset
from plumbline.stacks.constructs.storage.secure_bucket import allow_read_of

PACKAGE = "plumbline"


class SourceArchive(Construct):
    """Modules of model/ at the archive's root, with what they import of the package and of a library."""

    def __init__(self, scope: Construct, construct_id: str, *, root: Path) -> None:
        super().__init__(scope, construct_id)
        tar = archive(root)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "source.tar.gz")
            # Synthesis stages a copy at once. The hash is of the uncompressed bytes: compressors differ.
            path.write_bytes(gzip.compress(tar, mtime=0))
            self.asset = TarGzAsset(self, "Asset", path=path, content_hash=hashlib.sha256(tar).hexdigest())

        self.uri = self.asset.uri

    def allow_read(self, role: iam.Role) -> None:
        """Let `role` fetch the archive."""
        allow_read_of(role, self.asset.bucket_name, self.asset.object_key)


def archive(root: Path) -> bytes:
    """Return the tar archive: equal sources give equal bytes, whatever their dates and owners."""
    members = {path.name: path for path in sorted((root / "model").glob("*.py")) if path.name != "__init__.py"}
    members |= _imported(root, members.values())
    members["ddsketch/mapping.py"] = _mapping_module()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in members.items():
            info = tarfile.TarInfo(name)
            content = path.read_bytes()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _imported(root: Path, sources: Iterable[Path]) -> dict[str, Path]:
    """Return the modules of the package that the sources import, directly or not, by their place in the archive."""
    found: dict[str, Path] = {}
    waiting = list(sources)
    while waiting:
        for name in _package_imports(waiting.pop()):
            for place in (f"{name}.py", f"{name}/__init__.py"):
                path = root / place
                if place not in found and path.is_file():
                    found[place] = path
                    waiting.append(path)
    return dict(sorted(found.items()))


def _package_imports(path: Path) -> set[str]:
    """Return what a module imports of the package, and the packages around it, as paths without an ending."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in names if name.split(".")[0] == PACKAGE]
    return {"/".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def _mapping_module() -> Path:
    """Return the module of DDSketch's mapping: the image does not have the package, and may not reach an index."""
    spec = importlib.util.find_spec("ddsketch")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("ddsketch must be installed for synthesis, got none; run make setup")
    return Path(spec.origin).with_name("mapping.py")

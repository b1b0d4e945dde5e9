"""The model's code as SageMaker's script mode takes it: one archive for training and for serving."""

import gzip
import hashlib
import importlib.util
import io
import tarfile
import tempfile
from pathlib import Path

from aws_cdk import aws_iam as iam
from constructs import Construct

from plumbline.stacks.constructs.storage.input_source import TarGzAsset
from plumbline.stacks.constructs.storage.secure_bucket import allow_read_of

FOLDERS = {"model": "", "contract": "contract/"}
"""Folder of the repository, and where its modules are in the archive."""
BASELINE_MODULES = (
    "__init__",
    "baseline",
    "counts",
    "documents",
    "errors",
    "learned",
    "preprocessing",
    "reference_files",
    "sketch",
    "table",
)
"""Modules of container/drift/ by which the training job learns and writes its model's baseline, and encodes rows."""


class SourceArchive(Construct):
    """Modules of model/ at the archive's root, and what they import of contract/, drift/ and a library."""

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
    members = {
        prefix + path.name: path
        for folder, prefix in FOLDERS.items()
        for path in sorted((root / folder).glob("*.py"))
        if prefix or path.name != "__init__.py"
    }
    members |= {f"drift/{name}.py": root / "container" / "drift" / f"{name}.py" for name in BASELINE_MODULES}
    members["ddsketch/mapping.py"] = _mapping_module()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in members.items():
            info = tarfile.TarInfo(name)
            content = path.read_bytes()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _mapping_module() -> Path:
    """Return the module of DDSketch's mapping: the image does not have the package, and may not reach an index."""
    spec = importlib.util.find_spec("ddsketch")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("ddsketch must be installed for synthesis, got none; run make setup")
    return Path(spec.origin).with_name("mapping.py")

"""The model's code as SageMaker's script mode takes it: one archive for training and for serving."""

import gzip
import hashlib
import io
import tarfile
import tempfile
from pathlib import Path

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.s3_grants import allow_read_of
from stacks.constructs.tar_gz_asset import TarGzAsset

MODEL_FOLDER = "model"
CONTRACT_FILES = ("contract/__init__.py", "contract/training.py")


class SourceArchive(Construct):
    """Modules of model/ at the archive's root, beside the part of contract/ that they import."""

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
    modules = sorted(path for path in (root / MODEL_FOLDER).glob("*.py") if path.name != "__init__.py")
    members = {path.name: path for path in modules} | {name: root / name for name in CONTRACT_FILES}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in members.items():
            info = tarfile.TarInfo(name)
            content = path.read_bytes()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()

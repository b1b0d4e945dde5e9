"""Inputs of the environment file: a local path, which travels as an asset, or an S3 location, used as is."""

from pathlib import Path
from urllib.parse import urlsplit

from aws_cdk import AssetHashType, AssetStaging, FileAssetPackaging, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.constructs.storage.secure_bucket import OBJECT_SUFFIXES, allow_read_of, objects_arn

ARCHIVE = ".tar.gz"


class InputSource(Construct):
    """One input at `uri`.

    Parameters
    ----------
    setting
        The key of the environment file, for messages.
    location
        A local file or folder, relative to `root`, or an s3:// URI of an object or a prefix. A folder becomes a
        .zip object.

    Raises
    ------
    EnvironmentFileError
        If a local path does not exist.
    """

    def __init__(self, scope: Construct, construct_id: str, *, setting: str, location: str, root: Path) -> None:
        super().__init__(scope, construct_id)
        if location.startswith("s3://"):
            parts = urlsplit(location.rstrip("/"))
            self._bucket, self._key = parts.netloc, parts.path.lstrip("/")
            # S3 compares prefixes as text: without the slash train would find train-old/ too, which no grant covers.
            self.uri = parts.geturl() if self._key.endswith(OBJECT_SUFFIXES) else f"{parts.geturl()}/"
            return
        path = root / location
        if not path.exists():
            raise EnvironmentFileError(
                f"{setting} must name an existing local path or an s3:// URI, got {location!r}; "
                "correct it in the environment file, or run `make starter` for the starter model"
            )
        self._stage(path)

    def _stage(self, path: Path) -> None:
        if path.name.endswith(ARCHIVE):
            archive = TarGzAsset(self, "Asset", path=path)
            self.uri, self._bucket, self._key = archive.uri, archive.bucket_name, archive.object_key
        else:
            asset = assets.Asset(self, "Asset", path=str(path))
            self.uri, self._bucket, self._key = asset.s3_object_url, asset.s3_bucket_name, asset.s3_object_key

    def allow_read(self, role: iam.Role) -> None:
        """Let `role` read this object, or what is below this prefix, and list so far."""
        allow_read_of(role, self._bucket, self._key)

    @property
    def wildcard(self) -> str | None:
        """ARN pattern that `allow_read` grants, where the input is a prefix."""
        if self._key.endswith(OBJECT_SUFFIXES):
            return None
        return objects_arn(self, self._bucket, self._key)


class TarGzAsset(Construct):
    """Content-addressed archive.

    CDK's own file asset keeps the last extension only and names the object ``<hash>.gz``; SageMaker documents that
    ModelDataUrl must end in ``.tar.gz``. The synthesizer names the object ``<source hash>.gz`` too, so the hash is
    handed over with ``.tar`` behind it.

    Parameters
    ----------
    content_hash
        Identity of the content where bytes may differ without meaning, as compressed ones do; absent: the bytes'.
    """

    def __init__(self, scope: Construct, construct_id: str, *, path: Path, content_hash: str | None = None) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        staging = AssetStaging(
            self,
            "Stage",
            source_path=str(path),
            asset_hash=content_hash,
            asset_hash_type=AssetHashType.CUSTOM if content_hash else AssetHashType.SOURCE,
        )
        location = stack.synthesizer.add_file_asset(
            source_hash=f"{staging.asset_hash}.tar",
            file_name=staging.relative_staged_path(stack),
            packaging=FileAssetPackaging.FILE,
            display_name=construct_id,
        )
        self.bucket_name = location.bucket_name
        self.object_key = location.object_key
        self.uri = f"s3://{location.bucket_name}/{location.object_key}"

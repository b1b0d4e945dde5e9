"""A .tar.gz file as an S3 asset whose key ends in .tar.gz."""

from pathlib import Path

from aws_cdk import AssetHashType, AssetStaging, FileAssetPackaging, Stack
from constructs import Construct


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

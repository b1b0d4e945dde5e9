"""The drift container's image, built from container/ and the contract."""

from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

DOCKERFILE = "container/Dockerfile"
SPARK = {"BUILD_REQUIREMENTS": "requirements-spark-build.txt", "REQUIREMENTS": "requirements-spark.txt"}
"""Build arguments that name the lock files with Spark (docs/adr/0010-spark.md)."""
LEAVE_OUT = ["**", "!container", "!contract", "**/__pycache__", "**/*.pyc", "**/.*"]
"""Only what the Dockerfile copies may change the image."""


class DriftImage(Construct):
    """Content-addressed image for linux/amd64: SageMaker's instances, whatever the laptop is.

    Parameters
    ----------
    spark
        Whether the image holds Spark.
    """

    def __init__(self, scope: Construct, construct_id: str, *, root: Path, spark: bool) -> None:
        super().__init__(scope, construct_id)
        self.asset = ecr_assets.DockerImageAsset(
            self,
            "Asset",
            directory=str(root),
            file=DOCKERFILE,
            platform=ecr_assets.Platform.LINUX_AMD64,
            build_args=SPARK if spark else None,
            exclude=LEAVE_OUT,
            ignore_mode=IgnoreMode.DOCKER,
        )

    @property
    def uri(self) -> str:
        """The image's URI."""
        return self.asset.image_uri

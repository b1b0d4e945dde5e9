"""The drift container's image, built from container/ and the contract."""

import shutil
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

DOCKERFILE = "container/Dockerfile"
SPARK = {"BUILD_REQUIREMENTS": "requirements-spark-build.txt", "REQUIREMENTS": "requirements-spark.txt"}
"""Build arguments that name the lock files with Spark (docs/adr/0010-spark.md)."""
CONTEXT = ("container", "contract", "plumbline/__init__.py")
"""What the Dockerfile copies: nothing else of the repository may change the image."""
LEAVE_OUT = ["**", *(f"!{part}" for part in CONTEXT), "**/__pycache__", "**/*.pyc", "**/.*"]


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


def copy_context(root: Path, folder: Path) -> None:
    """Copy the build context into `folder`, for builds that CDK does not start."""
    for part in CONTEXT:
        source, target = root / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)

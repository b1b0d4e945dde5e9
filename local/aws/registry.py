"""ECR's answer for an image that does not exist, without which `cdk deploy` never builds one."""

from typing import Any

from local.aws.seams import Seam


def install() -> None:
    """Make DescribeImages refuse an unknown image, as ECR does."""
    before = Seam.ECR_DESCRIBE.take()

    def describe(data: dict[str, Any]) -> Any:
        repository = data.get("repositoryName")
        if repository in Seam.ECR_REPOSITORIES.take():
            for image in data.get("imageIds") or []:
                if not Seam.ECR_FIND.take()(repository, image):
                    message = f"The image with imageId {image} does not exist within the repository '{repository}'"
                    return Seam.JSON_ERROR.take()("ImageNotFoundException", message, 400)
        return before(data)

    Seam.ECR_DESCRIBE.replace(describe)

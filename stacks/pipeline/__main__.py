"""``python -m stacks.pipeline [FILE]``: write the pipeline's definition, by default over the committed one.

Nothing asks AWS. The SDK makes clients while it is imported, which needs a region, and would look roles up in IAM.
"""

import os
import sys
from pathlib import Path

from stacks.pipeline.filling import FILE

SDK_ENVIRONMENT = {"AWS_DEFAULT_REGION": "us-east-1", "SAGEMAKER_VALIDATE_ROLE": "false"}
"""Nothing of it reaches the definition."""


def main(arguments: list[str]) -> None:
    """Write the file."""
    os.environ.update(SDK_ENVIRONMENT)
    from stacks.pipeline.definition import text

    Path(*arguments or [str(FILE)]).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""``python -m plumbline.stacks.pipeline [FILE]``: write the pipeline's definition, by default over the committed one.

No call goes to AWS. The SDK creates clients on import, which needs a region, and would look roles up in IAM.
"""

import os
import sys
from pathlib import Path

from plumbline.stacks.pipeline.filling import FILE

SDK_ENVIRONMENT = {"AWS_DEFAULT_REGION": "us-east-1", "SAGEMAKER_VALIDATE_ROLE": "false"}
"""None of these values reaches the definition."""


def main(arguments: list[str]) -> None:
    """Write the definition to the file of `arguments`, by default the committed one."""
    os.environ.update(SDK_ENVIRONMENT)
    from plumbline.stacks.pipeline.definition import text

    Path(*arguments or [str(FILE)]).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

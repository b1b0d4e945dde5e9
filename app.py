"""The CDK app: ``npx cdk synth -c environment=prod``."""

import json
import os
import sys
from pathlib import Path

from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.file import load_environment

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Synthesize the environment that the context names; a wrong setting ends with one clear message."""
    try:
        # A first look: the CDK library starts Node, which takes seconds and may print a banner over the message.
        given = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
        load_environment(given.get("environment"), ROOT, given.get("engine"))
        _synthesize()
    except EnvironmentFileError as error:
        sys.exit(f"error: {error}")


def _synthesize() -> None:
    from plumbline.stacks.application import build, new_app

    app = new_app()
    choice, engine = map(app.node.try_get_context, ("environment", "engine"))
    build(app, load_environment(choice, ROOT, engine), ROOT)
    app.synth()


if __name__ == "__main__":
    main()

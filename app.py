"""The CDK app: ``npx cdk synth -c environment=prod``."""

import sys
from pathlib import Path

from stacks.application import build, new_app
from stacks.config_file import load_environment
from stacks.errors import ConfigError

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Synthesize the environment that the context names; a wrong setting ends with one clear message."""
    app = new_app()
    try:
        build(app, load_environment(app.node.try_get_context("environment"), ROOT), ROOT)
    except ConfigError as error:
        sys.exit(f"error: {error}")
    app.synth()


if __name__ == "__main__":
    main()

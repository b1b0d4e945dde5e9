"""What points the CDK CLI and AWS SDKs at the embedded AWS: environment variables, and nothing else."""

import os
from pathlib import Path

from local.aws.docker import STATE_VARIABLE
from local.aws.settings import ROOT, ServerSettings, credentials


def client_environment(settings: ServerSettings, python: Path) -> dict[str, str]:
    """Return our environment without the user's AWS set-up, plus what points the CDK CLI and SDKs at the server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **credentials(settings.url),
        # The CLI remembers which account a key belongs to, across emulators.
        "CDK_HOME": str(settings.state / "cdk-home"),
        "CDK_DOCKER": str(_docker_program(settings.state, python)),
        STATE_VARIABLE: str(settings.state),
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,19,20,21,23",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
    }


def _docker_program(state: Path, python: Path) -> Path:
    """Write the executable that stands for docker: the CLI takes a program's name, without arguments."""
    program = state / "bin" / "docker"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{python}" -m local.aws.docker "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program

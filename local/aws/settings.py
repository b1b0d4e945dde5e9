"""How the server process is started: its arguments, and the environment that MiniStack reads when it is imported."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
ROOT_KEY: Final = "test"
"""Access key of the account's root user, whom IAM allows everything."""

ROOT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class ServerSettings:
    """One run of the server.

    Parameters
    ----------
    port
        Loopback port.
    state
        Folder for everything that the run leaves.
    start
        The simulated clock's first reading; None for the real time.
    speed
        Simulated seconds per real second.
    """

    port: int
    state: Path
    start: datetime | None
    speed: float

    @property
    def url(self) -> str:
        """The endpoint URL for AWS SDKs."""
        return f"http://127.0.0.1:{self.port}"


def parse(arguments: Sequence[str]) -> ServerSettings:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m plumbline.local.aws.server", description="AWS on a loopback port")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder for everything the run leaves")
    parser.add_argument("--start", type=_moment, help="the clock's first reading, ISO 8601 with offset")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    options = parser.parse_args(arguments)
    return ServerSettings(options.port, options.state.resolve(), options.start, options.speed)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"must have a UTC offset, got {text!r}; append Z")
    return moment


def environment(settings: ServerSettings, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the server's environment: nothing of the user's AWS or Docker set-up, every file below the state folder.

    IAM is enforced unless the inherited environment has ``AUTH=false``.
    """
    temporary = settings.state / "tmp"
    return {
        **{name: value for name, value in inherited.items() if not name.startswith(("AWS_", "DOCKER_"))},
        "AUTH": inherited.get("AUTH", "true"),
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local",
        # MiniStack removes containers of earlier runs; this machine's are not ours.
        "DOCKER_HOST": f"unix://{settings.state / 'no-docker.sock'}",
        "TMPDIR": str(temporary),
        "STATE_DIR": str(settings.state / "ministack"),
        "S3_DATA_DIR": str(settings.state / "s3"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        **credentials(settings.url),
    }


def credentials(url: str) -> dict[str, str]:
    """Return what makes an AWS SDK the account's root user at this server, whatever the user has configured."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

"""What the commands that talk to a deployed environment share: where it is, and how AWS's refusals are told."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plumbline.commands.errors import CommandError

if TYPE_CHECKING:
    from plumbline.deployed import Deployed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments that say where the environment is."""
    parser.add_argument("--environment", required=True, metavar="NAME", help="the deployed environment")
    parser.add_argument("--region", metavar="NAME", help="AWS region of the environment")
    parser.add_argument("--endpoint-url", metavar="URL", help="where AWS answers, if not at its own address")


@contextmanager
def deployed(arguments: argparse.Namespace) -> "Iterator[Deployed]":
    """Give the environment, and tell what AWS refuses as the user's to put right."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from plumbline.deployed import Deployed

    # The functions handle one event at a time: whoever finds one busy asks again.
    patient = Config(retries={"mode": "standard", "total_max_attempts": 10}, read_timeout=120)

    def connect(service: str) -> Any:
        return boto3.client(service, region_name=arguments.region, endpoint_url=arguments.endpoint_url, config=patient)

    try:
        yield Deployed(arguments.environment, connect)
    except ValueError as error:
        raise CommandError(str(error)) from error
    except ClientError as error:
        raise CommandError(f"{error}; check --environment, and that you may do this there") from error
    except BotoCoreError as error:
        raise CommandError(f"{error}; set --region, and credentials as every AWS program wants them") from error

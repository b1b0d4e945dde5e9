"""Arguments and errors of the commands that call AWS, and the deployed environment that four of them work on."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plumbline.exit_codes import CommandError

if TYPE_CHECKING:
    from plumbline.environment.deployed import Deployed

READ_TIMEOUT_SECONDS = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments that name a deployed environment."""
    parser.add_argument("--environment", required=True, metavar="NAME", help="the deployed environment")
    add_aws_arguments(parser)


def add_aws_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of every AWS client."""
    parser.add_argument("--region", metavar="NAME", help="AWS region (default: as every AWS program finds it)")
    parser.add_argument("--endpoint-url", metavar="URL", help="address of AWS, if not its own")


def client(service: str, arguments: argparse.Namespace, **options: Any) -> Any:
    """Return a boto3 client that `arguments` describe; `options` are further arguments of boto3."""
    import boto3

    return boto3.client(service, region_name=arguments.region, endpoint_url=arguments.endpoint_url, **options)


@contextmanager
def aws_errors(remedy: str = "check --environment, and that you may do this there") -> Iterator[None]:
    """Raise what AWS refuses, and every ValueError, as CommandError; `remedy` is what to do when AWS refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ValueError as error:
        raise CommandError(str(error)) from error
    except ClientError as error:
        raise CommandError(f"{error}; {remedy}") from error
    except BotoCoreError as error:
        raise CommandError(f"{error}; set --region, and credentials as every AWS program wants them") from error


@contextmanager
def deployed(arguments: argparse.Namespace) -> "Iterator[Deployed]":
    """Yield the deployed environment; errors are those of `aws_errors`."""
    from botocore.config import Config

    from plumbline.environment.deployed import Deployed

    # The functions handle one event at a time: a call that finds one busy is repeated.
    config = Config(retries={"mode": "standard", "total_max_attempts": 10}, read_timeout=READ_TIMEOUT_SECONDS)
    with aws_errors():
        yield Deployed(arguments.environment, lambda service: client(service, arguments, config=config))

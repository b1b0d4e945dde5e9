"""AWS clients of a run, each made when it is first needed: boto3 is slow to import."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeAlias

from plumbline.drift.data.documents import storage_error
from plumbline.drift.errors import ConfigError, PublishError

Connect: TypeAlias = Callable[[], Any]
"""Makes a client of one service."""


def client(service: str, region: str | None) -> Any:
    """Return a boto3 client."""
    import boto3

    return boto3.client(service, region_name=region)


def cloudwatch_client(region: str | None) -> Any:
    """Return a CloudWatch client.

    Raises
    ------
    PublishError
        If no client can be made, because no region is set for example.
    """
    from botocore.exceptions import BotoCoreError

    try:
        return client("cloudwatch", region)
    except BotoCoreError as error:
        raise PublishError(
            f"CloudWatch must be reachable, got {error}; set AWS_REGION on the monitoring job"
        ) from error


@dataclass(frozen=True)
class Clients:
    """Makers of the clients that a run needs."""

    s3: Connect
    cloudwatch: Connect

    @classmethod
    def of_region(cls, region: str | None) -> Self:
        """Return the makers of boto3's clients."""
        return cls(partial(client, "s3", region), partial(cloudwatch_client, region))


@contextmanager
def as_config_error(uri: str, wanted: str = "readable") -> Iterator[None]:
    """Turn a failure of S3 into a ConfigError with the URI and the remedy, and one of our disk into a StorageError."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error, ConnectionError) as error:
        raise ConfigError(
            f"{uri} must be {wanted}, got {error}; check the URI and the monitoring role's rights on bucket and key"
        ) from error
    except OSError as error:
        raise storage_error(f"the copy of {uri}", error) from error

"""boto3 clients, created on first use: importing a function's code needs no boto3, and a warm function keeps them."""

from typing import Any


class AwsClients:
    """The clients of one region, one for each service."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._clients: dict[str, Any] = {}

    def __getitem__(self, service: str) -> Any:
        """Return the client of a service, named as boto3 names it."""
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._region)
        return self._clients[service]

"""boto3 clients, created on first use, and the one file of the artifacts bucket that both functions read."""

from typing import Any

from plumbline.contract.champion import CHAMPION_HISTORY, ChampionHistory
from plumbline.contract.names import Prefix

HISTORY_KEY = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"


class AwsClients:
    """The clients of one region, one for each service.

    Importing a function's code needs no boto3, and a warm function keeps its clients.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._clients: dict[str, Any] = {}

    def __getitem__(self, service: str) -> Any:
        """Return the client of a service, named as boto3 names it."""
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._region)
        return self._clients[service]


def read_history(clients: AwsClients, bucket: str) -> ChampionHistory | None:
    """Return the champions' history; None: the promotion function has written none yet.

    Raises
    ------
    ValueError
        If the file is not a history of this version.
    """
    s3 = clients["s3"]
    try:
        answer = s3.get_object(Bucket=bucket, Key=HISTORY_KEY)
    except s3.exceptions.NoSuchKey:
        return None
    return ChampionHistory.from_json(answer["Body"].read().decode())

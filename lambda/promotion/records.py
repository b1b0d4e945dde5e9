"""What is written down where others read it: the history of champions, what deployments take; and the switch."""

from typing import Any
from urllib.parse import urlsplit

from contract.champion import CHAMPION_HISTORY, ChampionHistory
from contract.names import Prefix
from contract.retraining import SwitchPosition, champion_artifact, champion_baseline, retraining_switch
from promotion.state import Target

HISTORY_KEY = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"


class UnreadableError(Exception):
    """Raised when an S3 object cannot be read as text; why."""


class Records:
    """S3 objects and SSM parameters of one environment; clients are made on first use."""

    def __init__(self, environment: str, bucket: str, region: str) -> None:
        self._environment = environment
        self._bucket = bucket
        self._region = region
        self._clients: dict[str, Any] = {}

    def history(self) -> ChampionHistory | None:
        """Return the history of champions; None when there is none yet.

        Raises
        ------
        ValueError
            If the file is no history.
        """
        client = self._client("s3")
        try:
            body = client.get_object(Bucket=self._bucket, Key=HISTORY_KEY)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        return ChampionHistory.from_json(body.decode())

    def write_history(self, history: ChampionHistory) -> None:
        """Write the history; this function is its only writer, one at a time."""
        self._client("s3").put_object(
            Bucket=self._bucket, Key=HISTORY_KEY, Body=history.to_json().encode(), ContentType="application/json"
        )

    def text(self, uri: str) -> str:
        """Return an S3 object as text.

        Raises
        ------
        UnreadableError
            If S3 refuses, or it is no text.
        """
        parts = urlsplit(uri)
        client = self._client("s3")
        try:
            answer = client.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
            return str(answer["Body"].read().decode())
        except (client.exceptions.ClientError, UnicodeDecodeError) as error:
            raise UnreadableError(str(error)) from error

    def write_champion(self, target: Target) -> None:
        """Let the next deployment bring this model back, and no other."""
        for name, value in (
            (champion_artifact(self._environment), target.artifact),
            (champion_baseline(self._environment), target.baseline),
        ):
            self._client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def switch_off(self) -> str | None:
        """Return why the loop is switched off; None: it is on. Absence is not on."""
        name = retraining_switch(self._environment)
        client = self._client("ssm")
        try:
            value = client.get_parameter(Name=name)["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            return f"the switch {name} does not exist"
        return None if value == SwitchPosition.ON else f"the switch {name} is {value!r}"

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._region)
        return self._clients[service]

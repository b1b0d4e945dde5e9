"""The champions' history in S3, the parameters that deployments read, and the switch."""

from datetime import timedelta
from urllib.parse import urlsplit

from plumbline.contract.champion import ChampionHistory
from plumbline.contract.retraining import SwitchPosition, champion_artifact, champion_baseline, retraining_switch
from plumbline.functions.promotion.facts import PromotionReason, PromotionReasonCode
from plumbline.functions.promotion.state import PromotionTarget
from plumbline.functions.shared.aws_client import HISTORY_KEY, AwsClients, read_history
from plumbline.functions.shared.events import parse_time


class UnreadableError(Exception):
    """Raised when an S3 object cannot be read as text; the text says why."""


class HistoryStore:
    """S3 objects and SSM parameters of one environment."""

    def __init__(self, environment: str, bucket: str, clients: AwsClients) -> None:
        self._environment = environment
        self._bucket = bucket
        self._clients = clients

    def history(self) -> ChampionHistory | None:
        """Return the champions' history; None when there is none yet.

        Raises
        ------
        ValueError
            If the file is not a history of this version.
        """
        return read_history(self._clients, self._bucket)

    def write_history(self, history: ChampionHistory) -> None:
        """Write the history; this function is its only writer, one at a time."""
        self._clients["s3"].put_object(
            Bucket=self._bucket, Key=HISTORY_KEY, Body=history.to_json().encode(), ContentType="application/json"
        )

    def text(self, uri: str) -> str:
        """Return an S3 object as text.

        Raises
        ------
        UnreadableError
            If S3 refuses, or the object is not text.
        """
        parts = urlsplit(uri)
        client = self._clients["s3"]
        try:
            answer = client.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
            return str(answer["Body"].read().decode())
        except (client.exceptions.ClientError, UnicodeDecodeError) as error:
            raise UnreadableError(str(error)) from error

    def write_champion(self, target: PromotionTarget) -> None:
        """Write the model that the next deployment of the serving stack deploys."""
        for name, value in (
            (champion_artifact(self._environment), target.artifact),
            (champion_baseline(self._environment), target.baseline),
        ):
            self._clients["ssm"].put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def switch_off(self) -> PromotionReason | None:
        """Return why the loop is switched off; None: it is on. Without the parameter it is off."""
        name = retraining_switch(self._environment)
        client = self._clients["ssm"]
        try:
            value = client.get_parameter(Name=name)["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            return PromotionReasonCode.SWITCH_MISSING.reason(name=name)
        off = PromotionReasonCode.SWITCHED_OFF.reason(name=name, value=value)
        return None if value == SwitchPosition.ON else off


def whole_second_before(text: str) -> str:
    """Return the last whole second until an ISO 8601 time, as the history has it: no window becomes too long.

    Examples
    --------
    >>> whole_second_before("2026-01-31T13:20:00.900000+00:00")
    '2026-01-31T13:20:00Z'
    """
    return f"{parse_time(text):%Y-%m-%dT%H:%M:%SZ}"


def whole_second_after(text: str) -> str:
    """Return the first whole second from an ISO 8601 time on.

    Examples
    --------
    >>> whole_second_after("2026-01-31T13:20:00.100000+00:00")
    '2026-01-31T13:20:01Z'
    """
    moment = parse_time(text)
    return f"{moment + timedelta(microseconds=-moment.microsecond % 1_000_000):%Y-%m-%dT%H:%M:%SZ}"

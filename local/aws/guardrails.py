"""The CloudWatch alarms that guard an update, seen as the endpoint's execution role may see them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from local.aws import sessions
from local.aws.errors import ApiError
from local.aws.seams import Seam

_ACTION: Final = "cloudwatch:DescribeAlarms"
_SESSION: Final = "SageMaker"


class Guardrails:
    """Metric alarms of one account and Region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def check(self, alarms: Sequence[str], roles: Iterable[str]) -> None:
        """Return when each alarm exists and each role may describe it.

        Raises
        ------
        ApiError
            ``ValidationException`` with the first that does not, or may not. When AWS finds out is not documented.
        """
        for alarm in alarms:
            if self._find(alarm) is None:
                raise ApiError("ValidationException", f"Alarm {alarm} of the AutoRollbackConfiguration does not exist.")
        for role in roles if alarms else ():
            key = sessions.role_environment(role, _SESSION)["AWS_ACCESS_KEY_ID"]
            for alarm in alarms:
                self._check_right(key, role, alarm)

    def tripped(self, alarms: Sequence[str]) -> str | None:
        """Return what is wrong with the first alarm that is in ALARM or gone; None when all are fine."""
        for name in alarms:
            alarm = self._find(name)
            if alarm is None:
                return f"alarm {name} does not exist any more"
            if alarm["StateValue"] == "ALARM":
                return f"alarm {name} is in ALARM: {alarm['StateReason']}"
        return None

    def _find(self, name: str) -> dict[str, Any] | None:
        with Seam.REQUEST_SCOPE.take()(self._account, self._region):
            found: dict[str, Any] | None = Seam.CW_ALARMS.take().get(name)
        return found

    def _check_right(self, access_key: str, role: str, alarm: str) -> None:
        arn = f"arn:aws:cloudwatch:{self._region}:{self._account}:alarm:{alarm}"
        with Seam.REQUEST_SCOPE.take()(self._account, self._region):
            denied = Seam.IAM_ENFORCE.take()(access_key, _ACTION, "cloudwatch", self._region, resource_arn=arn)
        if denied is not None:
            raise ApiError("ValidationException", f"The execution role {role} may not perform {_ACTION} on {arn}.")

"""List operations: filters, order and pages, the same for every kind."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from botocore.model import ListShape

from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.sagemaker.validation import output_members

DEFAULT_PAGE: Final = 10
"""SageMaker's default MaxResults for jobs: a caller that does not page must notice here too."""

Record = dict[str, Any]

_TIME_FILTERS: Final = (
    ("CreationTimeAfter", "CreationTime", float.__gt__),
    ("CreationTimeBefore", "CreationTime", float.__lt__),
    ("LastModifiedTimeAfter", "LastModifiedTime", float.__gt__),
    ("LastModifiedTimeBefore", "LastModifiedTime", float.__lt__),
    ("ScheduledTimeAfter", "ScheduledTime", float.__gt__),
    ("ScheduledTimeBefore", "ScheduledTime", float.__lt__),
)
_EQUAL_FILTERS: Final = ("MonitoringScheduleName", "EndpointName", "ModelPackageGroupName", "ModelApprovalStatus")


def page(
    operation: str, rows: Iterable[Record], params: Record, *, name_field: str, status_field: str = ""
) -> dict[str, Any]:
    """Return one page of `rows` in the operation's output shape.

    Raises
    ------
    ApiError
        ``ValidationException`` for a NextToken that this function did not make.
    """
    sort_key = _sort_key(params.get("SortBy", "CreationTime"), name_field, status_field)
    descending = params.get("SortOrder", "Descending") == "Descending"
    matching = [row for row in rows if _matches(row, params, name_field, status_field)]
    ordered = sorted(matching, key=sort_key, reverse=descending)
    if "NextToken" in params:
        after = _decode(params["NextToken"])
        ordered = [row for row in ordered if (sort_key(row) < after if descending else sort_key(row) > after)]
    size = params.get("MaxResults", DEFAULT_PAGE)
    list_field, summary = _output_list(operation)
    shown = ordered[:size]
    answer: dict[str, Any] = {
        list_field: [{name: row[name] for name in summary.members if row.get(name) is not None} for row in shown]
    }
    if len(ordered) > size:
        answer["NextToken"] = _encode(sort_key(shown[-1]))
    return answer


def _output_list(operation: str) -> tuple[str, Any]:
    lists = [(name, shape.member) for name, shape in output_members(operation).items() if isinstance(shape, ListShape)]
    return lists[0]


def _matches(row: Record, params: Record, name_field: str, status_field: str) -> bool:
    if "NameContains" in params and params["NameContains"] not in row[name_field]:
        return False
    if "StatusEquals" in params and row.get(status_field) != params["StatusEquals"]:
        return False
    if any(name in params and row.get(name) != params[name] for name in _EQUAL_FILTERS):
        return False
    return all(
        compare(float(row[field]), float(params[name]))
        for name, field, compare in _TIME_FILTERS
        if name in params and field in row
    )


def _sort_key(sort_by: str, name_field: str, status_field: str) -> Callable[[Record], tuple[str | float, str]]:
    field = {"Name": name_field, "Status": status_field}.get(sort_by, sort_by)

    def key(row: Record) -> tuple[str | float, str]:
        value: str | float = row[field] if field in row else row["CreationTime"]
        return value, str(row[name_field])

    return key


def _encode(key: tuple[str | float, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _decode(token: str) -> tuple[Any, ...]:
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError as error:
        raise ValidationError(f"NextToken must come from this operation, got {token!r}") from error

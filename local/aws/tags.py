"""Tags of SageMaker resources, by ARN."""

from collections.abc import Callable, Sequence

from local.aws.listing import Record


class Tags:
    """Keys and values of every resource; `operations` is what the control plane adds to its own."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self.operations: dict[str, Callable[[Record], Record]] = {
            "AddTags": self._add,
            "ListTags": self._list,
            "DeleteTags": self._delete,
        }

    def set(self, arn: str, tags: Sequence[Record]) -> None:
        """Give a new resource its tags."""
        self._tags[arn] = {tag["Key"]: tag["Value"] for tag in tags}

    def forget(self, arn: str) -> None:
        """Drop the tags of a resource that is gone."""
        self._tags.pop(arn, None)

    def _add(self, params: Record) -> Record:
        added = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        self._tags.setdefault(params["ResourceArn"], {}).update(added)
        return {"Tags": params["Tags"]}

    def _list(self, params: Record) -> Record:
        found = self._tags.get(params["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}

    def _delete(self, params: Record) -> Record:
        found = self._tags.get(params["ResourceArn"], {})
        for key in params["TagKeys"]:
            found.pop(key, None)
        return {}

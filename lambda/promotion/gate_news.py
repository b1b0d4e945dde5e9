"""What people are told of a new version: the gate's evaluation of it."""

from collections.abc import Mapping
from typing import Any

from contract.evaluation import Evaluation
from contract.retraining import RetrainingFile
from promotion.packages import evaluation_uri
from promotion.records import UnreadableError
from promotion.services import RecordsDoor


def evaluation_table(package: Mapping[str, Any], records: RecordsDoor) -> str:
    """Return the table beside the version's evaluation; without it the reasons; without them why there are none."""
    uri = evaluation_uri(package)
    if uri is None:
        return "The registry names no evaluation of this version."
    folder = uri.rpartition("/")[0]
    try:
        return records.text(f"{folder}/{RetrainingFile.EVALUATION_TEXT}")
    except UnreadableError:
        return _reasons(uri, records)


def _reasons(uri: str, records: RecordsDoor) -> str:
    try:
        evaluation = Evaluation.from_json(records.text(uri))
    except (UnreadableError, ValueError) as error:
        return f"The evaluation {uri} could not be read: {error}"
    return "\n".join(evaluation.reasons)

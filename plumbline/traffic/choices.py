"""The choices of traffic: content types, and the names of the drift scenarios. Light, so that help is instant."""

from enum import StrEnum

CSV_TYPE = "text/csv"
JSON_TYPE = "application/json"


class Format(StrEnum):
    """How rows are written into requests; ALTERNATE changes with every request."""

    CSV = "csv"
    JSON = "json"
    ALTERNATE = "alternate"

    def content_type(self, request: int) -> str:
        """Return the content type of the request of this number, counted from 0."""
        if self is Format.ALTERNATE:
            return JSON_TYPE if request % 2 else CSV_TYPE
        return CSV_TYPE if self is Format.CSV else JSON_TYPE


class ScenarioName(StrEnum):
    """Scenarios that `plumbline.scenarios` defines."""

    NONE = "none"
    GRADUAL = "gradual"
    SUDDEN = "sudden"
    OVERWRITE = "overwrite"
    CONCEPT = "concept"
    REGIME = "regime"
    LABELS = "labels"


SCENARIO_HELP = (
    "gradual and sudden shift the mix of rows, labels the mix of labels, concept the labels of given rows, regime both "
    "rows and labels; overwrite breaks values; each after two quiet hours"
)

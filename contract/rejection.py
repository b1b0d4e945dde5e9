"""Reasons why records, cells and labels are rejected: keys of drift_report.json, and stable."""

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.contract.enums import StrEnum
from plumbline.contract.records import RecordCounts


class RejectionReason(StrEnum):
    """Reasons under which records are counted as rejected; a record has one, the first that applies."""

    COMPRESSED_FILE = "compressed_file"
    """The file is gzip data; it counts as one record, because its lines cannot be counted."""
    NOT_A_FILE = "not_a_file"
    """A folder, pipe, socket or device with a capture file's name; it counts as one record and is not opened."""
    UNUSABLE_LINK = "unusable_link"
    """A link that is broken or leads out of the folder of the captures; it counts as one record."""
    UNREADABLE_NAME = "unreadable_name"
    """The path is not UTF-8 or has control characters, which no report could show; it counts as one record."""
    OTHER_VARIANT = "other_variant"
    """One variant is monitored, and the file's path names another."""
    LINE_TOO_LONG = "line_too_long"
    """The line has more than 10 MB, which no record has; it is not read."""
    NOT_UTF8 = "not_utf8"
    """The line, or the text of a side, is not Unicode text."""
    NOT_JSON = "not_json"
    """The line is no JSON: cut off, for example."""
    NOT_A_CAPTURE_RECORD = "not_a_capture_record"
    """JSON, but without SageMaker's keys or with other types in them."""
    BATCH_TRANSFORM = "batch_transform"
    """What a batch transform captures: manifests, or outputs without their requests. Only endpoints are read."""
    INVALID_TIME = "invalid_time"
    """The window has bounds, and the record has no readable time."""
    OUTSIDE_WINDOW = "outside_window"
    """The platform hands over more than the window; such records belong to another run."""
    NO_INPUT = "no_input"
    """The input side is absent, or has no rows."""
    UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type"
    """The body of a side is of a type that holds no rows of text: an image, or NumPy's own format."""
    INVALID_BASE64 = "invalid_base64"
    INPUT_NOT_CSV = "input_not_csv"
    INPUT_NOT_JSON = "input_not_json"
    INPUT_NOT_ROWS = "input_not_rows"
    """JSON, but of none of the shapes that hold rows (docs/formats.md), or of two at once."""
    FIELD_COUNT = "field_count"
    """A row has another number of fields than training had, or an object none of training's columns."""
    DUPLICATE_EVENT_ID = "duplicate_event_id"
    """Of the otherwise usable records of one event, all but the first in order of path and line."""
    INTERNAL_FAULT = "internal_fault"
    """Our own fault: reading this record raised an error that no rule foresees. The log has the traceback once."""


class AnswerReason(StrEnum):
    """Reasons under which a record's answer is counted as unreadable; the record is used all the same.

    An answer for several rows is read as a whole or not at all.
    """

    NO_TEXT = "no_text"
    """The side has no text that can be decoded."""
    ERROR = "error"
    """The body of a failed request: an error object or text, or HTML."""
    NOT_A_PREDICTION = "not_a_prediction"
    """Text without anything that is known to be a prediction."""
    ROW_COUNT = "row_count"
    """Another number of predictions than the request has rows."""
    NOT_A_PROBABILITY = "not_a_probability"
    """A number outside 0 to 1, or probabilities of all classes that do not add up to 1."""
    UNKNOWN_LABEL = "unknown_label"
    """A label, or a class's number, that the target does not have."""
    AMBIGUOUS = "ambiguous"
    """It can be read in two ways, with different results."""
    NOT_AT_PATH = "not_at_path"
    """Nothing is where the stated path leads."""


ANSWER_REMEDIES: Mapping[AnswerReason, str] = {
    AnswerReason.NO_TEXT: "capture text: JSON or CSV, in UTF-8",
    AnswerReason.ERROR: "look for failed requests in the endpoint's log",
    AnswerReason.NOT_A_PREDICTION: "compare the answers with docs/formats.md",
    AnswerReason.ROW_COUNT: "the endpoint must answer with one prediction for each row",
    AnswerReason.NOT_A_PROBABILITY: "state what the numbers are, for example kind log_odds",
    AnswerReason.UNKNOWN_LABEL: "give a test set with every label, spelled as the endpoint answers it",
    AnswerReason.AMBIGUOUS: "state the predictions' kind, positive_label or path",
    AnswerReason.NOT_AT_PATH: "correct the predictions' path",
}
"""What to do about answers that cannot be read."""


class CellReason(StrEnum):
    """Reasons under which a cell is counted as unreadable; the rest of its row is used."""

    NOT_A_NUMBER = "not_a_number"
    """A text in a column of numbers."""
    NOT_FINITE = "not_finite"
    """NaN, an infinite number, or one beyond the range of floats, in a column of numbers."""
    NOT_A_VALUE = "not_a_value"
    """A JSON value that is neither text, number nor null."""


WITHOUT_LOSS: frozenset[RejectionReason] = frozenset(
    {RejectionReason.OUTSIDE_WINDOW, RejectionReason.OTHER_VARIANT, RejectionReason.DUPLICATE_EVENT_ID}
)
"""What is another run's, or counted already: no row of the window is missing through it."""

_CAPTURES_ONLY = "keep nothing but SageMaker's capture files in that folder"
REMEDIES: Mapping[RejectionReason, str] = {
    RejectionReason.COMPRESSED_FILE: "unpack the files: captures are plain JSON Lines",
    RejectionReason.NOT_A_FILE: _CAPTURES_ONLY,
    RejectionReason.UNUSABLE_LINK: _CAPTURES_ONLY,
    RejectionReason.UNREADABLE_NAME: _CAPTURES_ONLY,
    RejectionReason.LINE_TOO_LONG: _CAPTURES_ONLY,
    RejectionReason.NOT_UTF8: "send requests as text, CSV or JSON: other bodies cannot be compared",
    RejectionReason.NOT_JSON: "look at the files named: they were cut off, or are no captures",
    RejectionReason.NOT_A_CAPTURE_RECORD: _CAPTURES_ONLY,
    RejectionReason.BATCH_TRANSFORM: "keep what batch transforms capture in another folder: endpoints alone are read",
    RejectionReason.INVALID_TIME: "keep eventMetadata.inferenceTime in the records, or judge them without times",
    RejectionReason.NO_INPUT: "capture the input side as well: DataCaptureConfig must have the capture mode Input",
    RejectionReason.UNSUPPORTED_CONTENT_TYPE: "let clients send rows as CSV or JSON, or do not monitor this endpoint",
    RejectionReason.INVALID_BASE64: "find out what rewrote the captures: SageMaker's own BASE64 is valid",
    RejectionReason.INPUT_NOT_CSV: "compare the requests' content type with what they hold, and repair their quoting",
    RejectionReason.INPUT_NOT_JSON: "compare the requests' content type with what they hold",
    RejectionReason.INPUT_NOT_ROWS: "send rows in one of the shapes of docs/formats.md",
    RejectionReason.FIELD_COUNT: "learn the baseline from the data of the served model, or repair what sends such rows",
    RejectionReason.INTERNAL_FAULT: "report the traceback in the run's log: it is a fault of Plumbline",
}
"""What an operator does about records that are lost for each of the other reasons."""


def records_in_window(counts: RecordCounts) -> int:
    """Return how many of the records read belong to the window; what cannot be placed in time counts as its own."""
    return counts.read - sum(
        counts.rejected.get(reason, 0) for reason in (RejectionReason.OUTSIDE_WINDOW, RejectionReason.OTHER_VARIANT)
    )


@dataclass(frozen=True)
class Loss:
    """Records of a window that were lost, of all that it had; duplicates are neither.

    `leading` is the reason that most of them have, of equals the first by name, and `n_leading` how many have it.
    `seen` tells what some of these were instead (`RecordCounts.seen`).
    """

    n_lost: int
    n_records: int
    leading: str
    n_leading: int
    seen: tuple[str, ...] = ()

    @property
    def fraction(self) -> float:
        """Lost records by all records, above 0 to 1."""
        return self.n_lost / self.n_records

    def __str__(self) -> str:
        """Return the leading reason with its number, what was there instead, and what to do about it."""
        instead = f" ({self.seen[0]}{' and others' if len(self.seen) > 1 else ''})" if self.seen else ""
        found = f"{self.n_leading:,} as {self.leading}{instead}"
        # A reason of a later version has no remedy here.
        return f"{found}; {REMEDIES[RejectionReason(self.leading)]}" if self.leading in set(REMEDIES) else found


def loss(counts: RecordCounts) -> Loss | None:
    """Return what the window lost of its records; None where it lost none."""
    lost = {reason: number for reason, number in counts.rejected.items() if number and reason not in WITHOUT_LOSS}
    if not lost:
        return None
    n_lost = sum(lost.values())
    leading = min(lost, key=lambda reason: (-lost[reason], reason))
    return Loss(n_lost, counts.used + n_lost, leading, lost[leading], tuple(counts.seen.get(leading, ())))


class LabelRejectionReason(StrEnum):
    """Reasons under which label records are counted as rejected; the names are keys of drift_report.json."""

    COMPRESSED_FILE = "compressed_file"
    """The file is gzip data; it counts as one record."""
    NOT_A_FILE = "not_a_file"
    """A folder, pipe, socket or device with a label file's name; it counts as one record and is not opened."""
    UNUSABLE_LINK = "unusable_link"
    """A link that is broken or leads out of the folder of the labels; it counts as one record."""
    UNREADABLE_NAME = "unreadable_name"
    """The path is not UTF-8 or has control characters; it counts as one record."""
    LINE_TOO_LONG = "line_too_long"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_A_LABEL_RECORD = "not_a_label_record"
    """JSON without SageMaker's keys, or with data that cannot be read."""
    NO_LABEL = "no_label"
    """The record names an event and no label for it."""
    UNKNOWN_LABEL = "unknown_label"
    """A label that the labelled test set does not have."""
    DUPLICATE_LABEL = "duplicate_label"
    """A later record has the same labels for the same event."""
    CONTRADICTED_LABEL = "contradicted_label"
    """A later record has other labels for the same event, and is used instead."""
    NO_CAPTURED_RECORD = "no_captured_record"
    """No usable record of the windows has this id: it is another's, or older than the lag."""
    ROW_COUNT_MISMATCH = "row_count_mismatch"
    """The captured record has another number of rows."""
    INTERNAL_FAULT = "internal_fault"
    """Our own fault: reading this record raised an error that no rule foresees. The log has the traceback once."""

"""Why a labelled row is not used; beside these a row has the reasons of a capture record (`drift.rejection`)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.enums import StrEnum


class RowReason(StrEnum):
    """Reasons under which labelled rows are counted as rejected: keys of prepared.json."""

    NOT_A_MERGED_RECORD = "not_a_merged_record"
    """A line that is no captured record with ground truth."""
    LABEL_COUNT_MISMATCH = "label_count_mismatch"
    """The record does not have one label, be it empty, for each row."""
    NO_LABEL = "no_label"
    UNKNOWN_LABEL = "unknown_label"
    """A label that the training data do not have."""
    REPEATED_EVENT = "repeated_event"
    """Another record of the same inference or event id follows, in order of path and line, and counts."""
    HOLDOUT_ROW_IN_TRAINING_DATA = "holdout_row_in_training_data"
    """Both models have seen its features."""
    FRESH_ROW_IN_HOLDOUT = "fresh_row_in_holdout"
    """The challenger would be judged on what it was trained on."""
    FRESH_ROW_IN_TEST_SET = "fresh_row_in_test_set"
    """The same of the original test set."""


@dataclass(eq=False)
class Account:
    """Counts the rows that were read and those that were given up."""

    n_read: int = 0
    _rejected: Counter[str] = field(default_factory=Counter)

    def reject(self, reason: str, n_rows: int = 1) -> None:
        """Count rows under a reason."""
        if n_rows:
            self._rejected[reason] += n_rows

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rows by reason, in the order of the reasons' names."""
        return dict(sorted(self._rejected.items()))

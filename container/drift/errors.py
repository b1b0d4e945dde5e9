"""Every exception this package raises on purpose.

DriftError
├── ConfigError      an argument or environment variable that the operator can fix
├── BaselineError    a baseline or reference file that is missing or does not fit
├── ClusterError     instances of one job that did not work together
├── RetrainingError  labelled captures or models that a retraining cannot go on with
├── StorageError     a disk or temporary folder that is full, read-only or not ours
└── PublishError     metrics or files that could not be handed over

A bad capture record is none of these: it is counted under its reason and the run goes on.
"""


class DriftError(Exception):
    """Base of all errors of this package; its text has the fault, the value and the remedy."""


class ConfigError(DriftError):
    """Raised when an argument or environment variable breaks its rule."""


class BaselineError(DriftError):
    """Raised when the baseline or the files it is learned from are missing or do not fit."""


class ShortPastError(BaselineError):
    """Raised when labelled rows of the past are too few to show anything."""


class BaselineMismatchError(BaselineError):
    """Raised when the captured rows are of another schema than the baseline."""


class ClusterError(DriftError):
    """Raised when the instances of one job, or Spark on them, do not finish their work."""


class RetrainingError(DriftError):
    """Raised when labelled captures do not suffice for a challenger, or a model cannot be compared."""


class StorageError(DriftError):
    """Raised when this machine's disk or temporary folder does not take what a run has to keep on it."""


class PublishError(DriftError):
    """Raised when metrics or result files cannot be handed over."""

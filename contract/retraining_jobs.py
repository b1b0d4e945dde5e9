"""How the retraining pipeline calls its own two jobs, which run in the drift image: commands, arguments and folders."""

from plumbline.contract.enums import StrEnum
from plumbline.contract.names import PLATFORM_ROOT

JOB_MODULE = "plumbline.drift.retraining"
"""``python -m`` of it, then a `JobCommand` and its arguments."""


class JobCommand(StrEnum):
    """The jobs."""

    PREPARE = "prepare"
    EVALUATE = "evaluate"


class PrepareArgument(StrEnum):
    """Arguments of `JobCommand.PREPARE`; the last two may be left out or empty."""

    TARGET_LABEL = "--target_label"
    ENDPOINT_NAME = "--endpoint_name"
    MERGED_S3_URI = "--merged_s3_uri"
    """Root of the captures joined with labels; the endpoint's name and the variants follow below it."""
    FRESH_FROM = "--fresh_from"
    """Full hour, ISO 8601 in UTC with Z."""
    FRESH_UNTIL = "--fresh_until"
    MINIMUM_ROWS = "--minimum_rows"
    """With fewer usable labelled rows the job fails."""
    MISSING_VALUES = "--missing_values"
    """JSON list: texts of a cell without a value; empty: the default set."""
    TIME_COLUMN = "--time_column"
    """The column with the time of each row, which is no feature: fresh rows get their inference time there."""


class EvaluateArgument(StrEnum):
    """Arguments of `JobCommand.EVALUATE`; the last three may be left out or empty."""

    TARGET_LABEL = "--target_label"
    HOLDOUT_MARGIN = "--holdout_margin"
    """What the challenger may lose at most on the holdout, 0 to 1."""
    TEST_MARGIN = "--test_margin"
    """The same on the original test set."""
    SLICE_MARGIN = "--slice_margin"
    """The same on every slice."""
    MINIMUM_SLICE_ROWS = "--minimum_slice_rows"
    SLICE_COLUMNS = "--slice_columns"
    """Comma-separated: features whose values are slices of the holdout."""
    SEGMENT_COLUMN = "--segment_column"
    """The categorical feature by whose values the challenger's baseline counts rows apart."""
    TIME_COLUMN = "--time_column"
    """The column with the time of each row; with it the baseline keeps what the past shows."""


class JobInput(StrEnum):
    """Folders that the jobs read."""

    TRAIN = "train"
    """Prepare: the training channel's data."""
    TEST = "test"
    """Both: the test channel's data."""
    CHALLENGER = "challenger"
    """Evaluate: a folder with the new model's model.tar.gz."""
    CHAMPION = "champion"
    """Evaluate: a folder with the champion's artifact, a .tar.gz of any name."""
    HOLDOUT = "holdout"
    """Evaluate: the output of this name of prepare."""
    TRAINED = "trained"
    """Evaluate, where a time column is named: a folder with the training job's output.tar.gz."""


class JobOutput(StrEnum):
    """Folders that the jobs write."""

    FRESH = "fresh"
    """Prepare: RetrainingFile.FRESH, the data of the training job's channel for it."""
    HOLDOUT = "holdout"
    """Prepare: RetrainingFile.HOLDOUT."""
    PREPARED = "prepared"
    """Prepare: RetrainingFile.PREPARED."""
    EVALUATION = "evaluation"
    """Evaluate: RetrainingFile.EVALUATION and EVALUATION_TEXT."""
    BASELINE = "baseline"
    """Evaluate: the challenger's baseline; the prefix it is uploaded to is the baseline's URI."""


def job_folder(folder: "JobInput | JobOutput", ml_root: str = PLATFORM_ROOT) -> str:
    """Return where an input or output of a job is mounted.

    Examples
    --------
    >>> job_folder(JobInput.TEST), job_folder(JobOutput.FRESH)
    ('/opt/ml/processing/input/test', '/opt/ml/processing/output/fresh')
    """
    side = "input" if isinstance(folder, JobInput) else "output"
    return f"{ml_root}/processing/{side}/{folder}"

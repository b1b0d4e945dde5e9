"""Every name that two processes must spell alike: metrics, dimensions, environment variables, files, arguments."""

from plumbline.contract.enums import StrEnum

VERSION = "0.1.0"
"""The product's, as pyproject.toml has it: the image is built without package metadata."""

METRIC_NAMESPACE = "Plumbline"
"""Our own namespace: AWS's pages disagree about Model Monitor's (docs/adr/0005-own-metric-namespace.md)."""


class Metric(StrEnum):
    """CloudWatch metrics that the drift container publishes, stamped with the time of publication."""

    DRIFT_VERDICT = "DriftVerdict"
    """1 when the window drifted, 0 when it did not; absent when the window was not judged, and when nothing but values
    that cannot be read is behind the drift."""
    DRIFTED_FEATURES = "DriftedFeatures"
    """Number of features whose verdict is drift; absent when the window was not judged."""
    FEATURE_DRIFT_SCORE = "FeatureDriftScore"
    """Drift score of one feature in percent, 0 to 200; carries the dimension Feature."""
    PREDICTION_DRIFT_SCORE = "PredictionDriftScore"
    """Drift score of the captured probability in percent, 0 to 200."""
    PROJECTED_ACCURACY = "ProjectedAccuracy"
    """Estimate of the window's accuracy, 0 to 1; absent when there is none."""
    PROJECTED_ACCURACY_LOWER = "ProjectedAccuracyLower"
    PROJECTED_ACCURACY_UPPER = "ProjectedAccuracyUpper"
    PROJECTIONS_NOT_JUDGED = "ProjectionsNotJudged"
    """1 when a window with rows got no projected accuracy, 0 when it got one; absent without rows."""
    PROJECTED_ACCURACY_DROP = "ProjectedAccuracyDrop"
    """1 when the projected accuracy dropped beyond the threshold and beyond chance, else 0; absent without estimate."""
    LABEL_SHIFT_SUSPECTED = "LabelShiftSuspected"
    """1 when the window is consistent with pure label shift, judged without labels, else 0; absent when not judged."""
    REALISED_ACCURACY = "RealisedAccuracy"
    """Accuracy of the last window judged by labels, 0 to 1; absent when there is none."""
    REALISED_ACCURACY_DROP = "RealisedAccuracyDrop"
    """1 when that window's realised accuracy dropped, else 0."""
    CONCEPT_SHIFT_VERDICT = "ConceptShiftVerdict"
    """1 when that window's labels show concept shift, 0 when they do not; absent when that was not judged."""
    LABEL_SHIFT_VERDICT = "LabelShiftVerdict"
    """1 when that window's labels show label shift, 0 when they do not; absent when that was not judged."""
    LABELLED_FRACTION = "LabelledFraction"
    """Fraction of rows with a label, 0 to 1, of the last window whose label lag is over; absent without one."""
    LABELS_REJECTED = "LabelsRejected"
    """Label records within the label lag that could not be used; absent without a labels section."""
    BIAS_VERDICT = "BiasVerdict"
    """1 when the model treats a group of the facet differently from the test set, else 0; absent when not judged."""
    ATTRIBUTION_NDCG = "AttributionNDCG"
    """NDCG of the order of feature attributions against the test set's, 0 to 1; absent unless switched on."""
    MONITOR_RUNS = "MonitorRuns"
    """1 for each run that ended with a report, whatever its verdict: the heartbeat."""
    MONITOR_FAILURES = "MonitorFailures"
    """1 for a run that ended without a report, 0 for one that ended with it."""
    WINDOWS_WITHOUT_DATA = "WindowsWithoutData"
    """1 when the window held no record, else 0."""
    WINDOWS_NOT_JUDGED = "WindowsNotJudged"
    """1 when the window's verdict is not_judged, for any reason, else 0."""
    INTERNAL_FAULTS = "InternalFaults"
    """Parts of the report, records and labels that were lost for a reason that is not the operator's."""
    RECORDS_READ = "RecordsRead"
    RECORDS_REJECTED = "RecordsRejected"
    UNREADABLE_ANSWER_FRACTION = "UnreadableAnswerFraction"
    """Fraction of the captured answers that could not be read, 0 to 1; absent without one."""
    REJECTED_FRACTION = "RejectedFraction"
    """Fraction of the window's records that were rejected, 0 to 1; absent when the window had none."""
    ROWS_USED = "RowsUsed"
    SCHEMA_VIOLATIONS = "SchemaViolations"
    """Number of features that are missing from the payload or of another type than in training; absent without rows."""
    OVER_TIME_VERDICT = "OverTimeVerdict"
    """1 when a feature or the prediction changed over days, else 0; absent when that was not judged."""
    DRIFTED_SEGMENTS = "DriftedSegments"
    """Number of segments that drifted; absent when none was judged."""
    MULTIVARIATE_AUC = "MultivariateAUC"
    """AUC of a classifier that separates the window from the reference, 0.5 to 1; absent unless switched on."""
    MULTIVARIATE_VERDICT = "MultivariateVerdict"
    """1 when whole rows drifted, else 0; absent when that was not judged."""
    ACCEPTED_FEATURES = "AcceptedFeatures"
    """Number of features that drifted from the training data and were accepted; absent where nothing is."""


class Dimension(StrEnum):
    """Dimensions of our metrics. Every metric carries ENDPOINT; FEATURE_DRIFT_SCORE carries FEATURE too."""

    ENDPOINT = "Endpoint"
    FEATURE = "Feature"


def alarm_name(environment: str, kind: str) -> str:
    """Return the physical name of one alarm, for example ``plumbline-prod-drift``."""
    return f"{resource_prefix(environment)}-{kind}"


def resource_prefix(environment: str) -> str:
    """Return the prefix of every physical name of one environment: endpoint, schedule, alarms, jobs."""
    return f"plumbline-{environment}"


class MonitorVariable(StrEnum):
    """Environment variables of Model Monitor's bring-your-own-container contract.

    Source: SageMaker Developer Guide, "Container contract inputs".
    """

    DATASET_FORMAT = "dataset_format"
    DATASET_SOURCE = "dataset_source"
    OUTPUT_PATH = "output_path"
    PUBLISH_CLOUDWATCH_METRICS = "publish_cloudwatch_metrics"
    ENDPOINT_NAME = "sagemaker_endpoint_name"
    SCHEDULE_NAME = "sagemaker_monitoring_schedule_name"
    START_TIME = "start_time"
    END_TIME = "end_time"


class Variable(StrEnum):
    """Environment variables of our own that the stacks set on the monitoring job, besides those of the thresholds."""

    ISOLATION_FOREST = "PLUMBLINE_ISOLATION_FOREST"
    MULTIVARIATE = "PLUMBLINE_MULTIVARIATE"
    VARIANT = "PLUMBLINE_VARIANT"
    """The variant to monitor; records of others are rejected. Unset: each of several is judged apart."""
    REPORTS_S3_URI = "PLUMBLINE_REPORTS_S3_URI"
    """Root of the reports, where what earlier runs left is."""
    SPARK_MASTER = "PLUMBLINE_SPARK_MASTER"
    SPARK_ABOVE_GB = "PLUMBLINE_SPARK_ABOVE_GB"
    """Windows with more captured bytes than this are read by Spark; unset: none."""
    LABELS_S3_URI = "PLUMBLINE_LABELS_S3_URI"
    """Where ground truth arrives, in SageMaker's layout; unset: no labels are awaited."""
    LABEL_LAG_HOURS = "PLUMBLINE_LABEL_LAG_HOURS"
    """How many hours before the window are joined with labels."""
    MERGED_S3_URI = "PLUMBLINE_MERGED_S3_URI"
    """Where captures joined with labels are written; unset: nowhere."""
    PREDICTION_KIND = "PLUMBLINE_PREDICTION_KIND"
    """What the endpoint's answers hold (`contract.predictions.PredictionKind`); unset: inferred from the baseline."""
    POSITIVE_LABEL = "PLUMBLINE_POSITIVE_LABEL"
    """The label that a number alone is the probability of; unset: the baseline's."""
    PREDICTION_PATH = "PLUMBLINE_PREDICTION_PATH"
    """Where in an answer the predictions are; unset: by the shape of the answer."""
    FACET = "PLUMBLINE_FACET"
    """The column by whose values bias is measured; unset: none."""
    MODEL_S3_URI = "PLUMBLINE_MODEL_S3_URI"
    """The model's artifact, for feature attributions; unset: none are computed."""
    CHAMPION_S3_URI = "PLUMBLINE_CHAMPION_S3_URI"
    """The history of the endpoint's champions, which says what baseline a window is judged against; unset: the
    argument's, always."""
    ACCEPTED_S3_URI = "PLUMBLINE_ACCEPTED_S3_URI"
    """Where the records of accepted windows are; unset: none are looked for."""
    SCHEDULED_TIME = "PLUMBLINE_SCHEDULED_TIME"
    """Set by our own schedule only: the window ends with the last full hour before it."""
    WINDOW_HOURS = "PLUMBLINE_WINDOW_HOURS"
    """Set by our own schedule only: hours of one window; unset: 1."""
    LOOK_BACK_HOURS = "PLUMBLINE_LOOK_BACK_HOURS"
    """How many hours before its own a window with too few rows may get; unset: none."""
    CAPTURE_S3_URI = "PLUMBLINE_CAPTURE_S3_URI"
    """The capture destination. Set by our own schedule, for the window's hours, and wherever hours before it are read:
    those whose labels are awaited, and those that a window may look back to."""
    ML_ROOT = "PLUMBLINE_ML_ROOT"
    """Where the platform's folders are; /opt/ml unless the image runs outside SageMaker."""


class Argument(StrEnum):
    """Arguments of the container program. Each takes an S3 URI or a local path, but names of columns."""

    TRAIN = "--train_s3_uri"
    TEST = "--test_s3_uri"
    PREDICTIONS = "--predictions_s3_uri"
    BASELINE = "--baseline_s3_uri"
    HISTORY = "--history_s3_uri"
    TARGET_LABEL = "--target_label"
    TIME_COLUMN = "--time_column"
    POLICY = "--policy_s3_uri"
    ACCEPTED = "--accepted_s3_uri"
    """What the environment file accepts, a JSON file; `Variable.ACCEPTED_S3_URI` has what the command recorded."""


class Switch(StrEnum):
    """AWS spells booleans of the contract as text."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class ReportFile(StrEnum):
    """Files that one run of the container leaves in its output folder."""

    STATISTICS = "statistics.json"
    CONSTRAINTS = "constraints.json"
    VIOLATIONS = "constraint_violations.json"
    """AWS's pages have two spellings; its schema page, SDK and executed notebooks have this one."""
    DRIFT_REPORT = "drift_report.json"
    WINDOW_COUNTS = "window_counts.json"
    """The window's value counts: what windows that are accepted as the reference are made of."""
    WINDOW_STATE = "window_state.json"
    """What the next run goes on from: of the windows before it only the last one's is read."""


POLICY_VERSION = 2
"""Version of the policy file that Argument.POLICY names."""

BASELINE_FILE = "baseline.json"
"""The file that makes a folder a baseline."""
BASELINE_VERSION = 3
"""Version of the baseline's files that this code writes."""
READABLE_BASELINE_VERSIONS = (2, BASELINE_VERSION)
"""Those that it reads. Version 2 has no missing values but an empty cell and ``?``."""

PLATFORM_ROOT = "/opt/ml"
"""Where SageMaker mounts the folders of a job."""


class MlPath(StrEnum):
    """Paths below the platform's root that the contract names."""

    JOB_CONFIG = "config/processingjobconfig.json"
    RESOURCES = "config/resourceconfig.json"
    MESSAGE = "output/message"
    METRICS = "output/metrics/cloudwatch/cloudwatch_metrics.jsonl"


def training_job_prefix(environment: str) -> str:
    """Return the prefix of every training job's name; IAM statements are scoped to it."""
    return f"{resource_prefix(environment)}-train"


class Prefix(StrEnum):
    """Key prefixes inside the buckets, without slashes at either end."""

    CAPTURE = "capture"
    REPORTS = "reports"
    MODELS = "models"
    GROUND_TRUTH = "ground-truth"
    """In the capture bucket: labels, uploaded below the endpoint's name in SageMaker's layout."""
    MERGED = "merged"
    """In the capture bucket: captures joined with labels, in the layout of SageMaker's merge jobs."""
    RETRAINING = "retraining"
    """In the artifacts bucket: what the retraining pipeline's own jobs leave, a folder for each execution."""
    CHAMPION = "champion"
    """In the artifacts bucket: the history of the endpoint's champions."""
    ACCEPTED = "accepted"
    """In the artifacts bucket: which windows were accepted as the reference, and what was undone, one object each."""


def ground_truth_prefix(endpoint: str) -> str:
    """Return the key below which an endpoint's labels arrive."""
    return f"{Prefix.GROUND_TRUTH}/{endpoint}"


GROUND_TRUTH_OUTPUT = "GroundTruthUri"
"""Output of the foundation stack: where labels arrive; absent where none are awaited."""


def report_prefix(endpoint: str, schedule: str, hour: str) -> str:
    """Return the key below the report prefix where one window's files are: SageMaker's own layout.

    `hour` is the window's start as ``yyyy/mm/dd/hh``.
    """
    return f"{schedule_prefix(endpoint, schedule)}/{hour}"


def schedule_prefix(endpoint: str, schedule: str) -> str:
    """Return the key below the report prefix where all windows of one schedule are."""
    return f"{endpoint}/{schedule}"

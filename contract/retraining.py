"""Every name of the retraining loop that two processes share: metrics, parameters, variables, steps, files.

The loop: an alarm -> the controller (a Lambda function) -> a SageMaker Pipeline -> the model registry -> the promotion
function -> the endpoint. docs/adr/0015-one-loop-many-guards.md has the reasons.
"""

from plumbline.contract.enums import StrEnum
from plumbline.contract.names import resource_prefix


class RetrainingMetric(StrEnum):
    """CloudWatch metrics of the loop, in our namespace with the dimension Endpoint; 1 for each occasion."""

    STARTED = "RetrainingsStarted"
    SKIPPED = "RetrainingsSkipped"
    """A trigger that started nothing; the log line and the message have the `Obstacle`."""
    FAILED = "RetrainingsFailed"
    """A pipeline execution that ended without a verdict on its challenger."""
    CHALLENGERS_ACCEPTED = "ChallengersAccepted"
    CHALLENGERS_REJECTED = "ChallengersRejected"
    PROMOTED = "ModelsPromoted"
    ROLLED_BACK = "PromotionsRolledBack"
    """The endpoint went back to the champion: by its alarms, a failure or a request."""


class TriggerKind(StrEnum):
    """What may start a retraining, as an environment file lists it; each is what an alarm watches.

    The first three are harm: the model answers worse. The others say that the traffic is another, which by itself does
    not foretell harm (docs/adr/0032-harm-starts-work.md).
    """

    QUALITY = "quality"
    """The accuracy measured with labels dropped beyond the threshold."""
    PROJECTED_ACCURACY = "projected_accuracy"
    """The accuracy projected without labels dropped beyond the threshold."""
    CONCEPT_SHIFT = "concept_shift"
    """The labels contradict what the model learned, and the accuracy dropped by it beyond the threshold."""
    DRIFT = "drift"
    """A feature, or the prediction, differs from the reference."""
    MULTIVARIATE = "multivariate"
    """Whole rows differ from the reference, though each feature alone may not."""
    OVER_TIME = "over_time"
    """A feature, or the prediction, changed over days, which single windows need not show."""


HARM = (TriggerKind.QUALITY, TriggerKind.PROJECTED_ACCURACY, TriggerKind.CONCEPT_SHIFT)
"""What starts a retraining where the environment file lists nothing."""


class ModelVariable(StrEnum):
    """Our own variables of the serving container: what belongs to a model is deployed with it."""

    BASELINE = "PLUMBLINE_BASELINE_S3_URI"


class LoopVariable(StrEnum):
    """Environment variables of the controller and the promotion function."""

    ENVIRONMENT = "PLUMBLINE_ENVIRONMENT"
    ENDPOINT_NAME = "PLUMBLINE_ENDPOINT_NAME"
    TOPIC_ARN = "PLUMBLINE_TOPIC_ARN"
    STATE_TABLE = "PLUMBLINE_STATE_TABLE"
    ARTIFACTS_BUCKET = "PLUMBLINE_ARTIFACTS_BUCKET"
    TRIGGER_ALARM_NAMES = "PLUMBLINE_TRIGGER_ALARM_NAMES"
    """Comma-separated: the alarms that start retraining; all others are for people. Empty: only people start one."""
    PIPELINE_ARN = "PLUMBLINE_PIPELINE_ARN"
    CAPTURE_BUCKET = "PLUMBLINE_CAPTURE_BUCKET"
    COOLDOWN_HOURS = "PLUMBLINE_COOLDOWN_HOURS"
    RUNS_PER_DAY = "PLUMBLINE_RUNS_PER_DAY"
    FRESH_HOURS = "PLUMBLINE_FRESH_HOURS"
    """Labelled captures of so many hours before a run are its fresh rows."""
    MINIMUM_FRESH_ROWS = "PLUMBLINE_MINIMUM_FRESH_ROWS"
    RETRAINING_RULES = "PLUMBLINE_RETRAINING_RULES"
    """Digest of the settings by which a challenger is trained and judged: a rejection holds for the same ones."""
    MODEL_PACKAGE_GROUP = "PLUMBLINE_MODEL_PACKAGE_GROUP"
    SERVING_ROLE_ARN = "PLUMBLINE_SERVING_ROLE_ARN"
    TRAFFIC = "PLUMBLINE_TRAFFIC"
    """A `Traffic`."""
    CANARY_PERCENT = "PLUMBLINE_CANARY_PERCENT"
    WAIT_SECONDS = "PLUMBLINE_WAIT_SECONDS"
    """How long the alarms are watched before the old instances are deleted."""
    ROLLBACK_ALARM_NAMES = "PLUMBLINE_ROLLBACK_ALARM_NAMES"
    """Comma-separated: the alarms on which the endpoint goes back to the champion."""


class Traffic(StrEnum):
    """How traffic moves to a promoted model; the old instances stay until the wait is over."""

    CANARY = "canary"
    ALL_AT_ONCE = "all_at_once"


class Approval(StrEnum):
    """Whether an accepted challenger serves at once or after a person's approval."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class SwitchPosition(StrEnum):
    """Value of the parameter `retraining_switch`."""

    ON = "on"
    OFF = "off"


def retraining_switch(environment: str) -> str:
    """Return the name of the SSM parameter that stops the loop at once: a `SwitchPosition`."""
    return f"/plumbline/{environment}/retraining"


def champion_artifact(environment: str) -> str:
    """Return the name of the SSM parameter with the URI of the champion's artifact; a deployment reads it."""
    return f"/plumbline/{environment}/champion/artifact"


def champion_baseline(environment: str) -> str:
    """Return the name of the SSM parameter with the URI of the champion's baseline; a deployment reads it."""
    return f"/plumbline/{environment}/champion/baseline"


def promoted_prefix(environment: str) -> str:
    """Return the prefix of the Models and EndpointConfigs that the promotion function makes."""
    return f"{resource_prefix(environment)}-champion"


def pipeline_name(environment: str) -> str:
    """Return the pipeline's name."""
    return f"{resource_prefix(environment)}-retraining"


def model_package_group(environment: str) -> str:
    """Return the name of the group whose versions are this environment's challengers."""
    return resource_prefix(environment)


def retraining_job_prefix(environment: str) -> str:
    """Return the prefix of every job that the pipeline starts; IAM statements are scoped to it."""
    return f"{resource_prefix(environment)}-retrain"


class PipelineParameter(StrEnum):
    """Parameters that the controller gives each execution. All are texts."""

    CHAMPION_ARTIFACT = "ChampionArtifact"
    """s3:// URI of the champion's artifact."""
    FRESH_FROM = "FreshFrom"
    """ISO 8601 in UTC with Z: labelled captures from then on ..."""
    FRESH_UNTIL = "FreshUntil"
    """... until then, both at full hours, are the fresh rows."""
    CAUSE = "Cause"
    """The alarm or the person and the reason, as `metadata_text` makes it: it becomes metadata of a model package."""


class PipelineStep(StrEnum):
    """Names of the pipeline's steps."""

    PREPARE = "Prepare"
    TRAIN = "Train"
    EVALUATE = "Evaluate"
    GATE = "Gate"
    REGISTER = "Register"
    REGISTER_REJECTED = "RegisterRejected"


class RetrainingFile(StrEnum):
    """Files that the pipeline's own two jobs leave."""

    FRESH = "fresh.csv"
    """Fresh labelled rows to train on, with a header row and the target."""
    HOLDOUT = "holdout.csv"
    """The newest labelled rows, which neither model has seen, in the same form."""
    PREPARED = "prepared.json"
    """What was read, used and rejected, from when until when."""
    EVALUATION = "evaluation.json"
    """An `Evaluation` (contract/evaluation.py)."""
    EVALUATION_TEXT = "evaluation.txt"
    """The same as a table for people."""


class Lineage(StrEnum):
    """Customer metadata of a model package: where a version comes from."""

    CAUSE = "cause"
    CHAMPION = "champion"
    TRAIN_DATA = "train_data"
    TEST_DATA = "test_data"
    FRESH_FROM = "fresh_from"
    FRESH_UNTIL = "fresh_until"
    CODE = "code"
    """URI of the source archive, whose name is the digest of what is in it."""
    COMMIT = "commit"
    """The value of ``-c commit=...`` at synthesis, else ``unknown``."""
    EXECUTION = "execution"


MAX_METADATA_LENGTH = 256
"""API reference, CreateModelPackage: characters of a value of CustomerMetadataProperties."""


def metadata_text(text: str) -> str:
    """Return `text` as metadata of a model package accepts it: letters, numbers, separators and ``_.:/=+-@`` only.

    Anything else, brackets and commas of an alarm's reason for example, becomes a space: SageMaker would refuse to
    register the version.

    Examples
    --------
    >>> metadata_text("Threshold Crossed: 1 datapoint [1.0 (31/01/26 10:00:00)], was")
    'Threshold Crossed: 1 datapoint 1.0 31/01/26 10:00:00 was'
    """
    kept = "".join(each if each.isalnum() or each in "_.:/=+-@" else " " for each in text)
    return " ".join(kept.split())[:MAX_METADATA_LENGTH].rstrip() or "-"


REEVALUATE = "reevaluate"
"""Key of the hourly event that makes a function reconcile: alarms fire on change only, and events can get lost."""


class Obstacle(StrEnum):
    """Why the controller started no retraining."""

    ALREADY_STARTED = "already_started"
    """The same event was handled before and started a run: a success, not a fault."""
    IN_PROGRESS = "in_progress"
    SWITCHED_OFF = "switched_off"
    SWITCH_UNKNOWN = "switch_unknown"
    CHAMPION_UNKNOWN = "champion_unknown"
    CHAMPION_CHANGING = "champion_changing"
    COOLDOWN = "cooldown"
    DAILY_CAP = "daily_cap"
    LABELS_NEEDED = "labels_needed"
    SAME_EVIDENCE = "same_evidence"
    """The gate rejected the last challenger, and nothing has come since that another one could learn from."""
    START_REFUSED = "start_refused"
    """SageMaker refused StartPipelineExecution; the reserved run is tried again every hour."""


class ControllerAction(StrEnum):
    """What the controller did about one event."""

    STARTED = "started"
    SKIPPED = "skipped"
    """A trigger started nothing; the `Obstacle` is named."""
    NOT_STARTED = "not_started"
    """SageMaker refused the start; the reserved run is tried again."""
    CLOSED = "closed"
    """A pipeline execution has ended."""
    IGNORED = "ignored"
    """The event was no trigger."""


class PromotionStatus(StrEnum):
    """How a promotion or a request to promote or roll back ended."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    """A requested rollback is done: the earlier model serves."""
    FAILED = "failed"
    """The target did not come up, or its alarms fired: the endpoint went back by itself."""
    REFUSED = "refused"
    """Nothing was changed."""


class MessageKind(StrEnum):
    """What a message of the loop reports."""

    RETRAINING_STARTED = "retraining_started"
    RETRAINING_SKIPPED = "retraining_skipped"
    RETRAINING_NOT_STARTED = "retraining_not_started"
    RETRAINING_FAILED = "retraining_failed"
    CHALLENGER_ACCEPTED = "challenger_accepted"
    CHALLENGER_PENDING = "challenger_pending"
    CHALLENGER_REJECTED = "challenger_rejected"
    PROMOTION_HELD = "promotion_held"
    """The switch keeps an approved version from being promoted."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    PROMOTION_FAILED = "promotion_failed"
    VERSION_UNUSABLE = "version_unusable"
    PROMOTION_SUPERSEDED = "promotion_superseded"
    REQUEST_REFUSED = "request_refused"


class MessageAttribute(StrEnum):
    """Attributes of the loop's own SNS messages, for subscribers that decide by code instead of text."""

    ENDPOINT = "plumbline"
    """The endpoint's name. The controller recognises the loop's own messages by this attribute and ignores them."""
    KIND = "plumbline_kind"
    """A `MessageKind`."""
    OBSTACLE = "plumbline_obstacle"
    """An `Obstacle`, where a retraining was not started."""
    VERSION = "plumbline_version"
    """Number of the version in the registry, where the message is about one."""

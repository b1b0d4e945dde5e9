"""Every private name of MiniStack that the embedded AWS reads, extends or replaces: the one list of them.

MiniStack is pinned exactly; tests/e2e/test_seams.py asserts that each name exists and still behaves in the way
that made us need it.
"""

import importlib
from enum import Enum
from typing import Any

_CLOUDWATCH = "ministack.services.cloudwatch"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"


class Seam(Enum):
    """One name of MiniStack: where it is, and why we touch it."""

    HANDLERS = ("ministack.app", "SERVICE_HANDLERS", "extended: services that MiniStack lacks")
    APP = ("ministack.app", "app", "wrapped: our admin routes; loopback counts as TLS for aws:SecureTransport")
    ANSWER_TYPE = ("ministack.app", "fix_success_content_type", "wrapped: a model chooses its answer's content type")
    H11_REASON = ("ministack.core.hypercorn_compat", "install", "called: the reason phrase that old SDKs insist on")
    ROUTES = ("ministack.core.router", "SERVICE_PATTERNS", "extended: requests with our services' target prefixes")
    ACCESS_KEY = ("ministack.core.router", "extract_access_key_id", "called: who makes a request")
    REQUEST_REGION = ("ministack.core.router", "extract_region", "called: the Region that a request is signed for")
    REQUEST_SCOPE = ("ministack.core.responses", "request_scope", "called: act in an account and Region")
    JSON_ERROR = ("ministack.core.responses", "error_response_json", "called: an error in AWS's form")

    IAM_NAMESPACES = ("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE", "extended: our services' actions")
    IAM_MODELS = ("ministack.core.iam_actions", "_BOTOCORE_SERVICE_MAP", "extended: InvokeEndpoint is a REST call")
    IAM_RESOURCE = ("ministack.core.iam_actions", "extract_resource_arn", "wrapped: SageMaker; names of ECR, alarms")
    IAM_CONTEXT = ("ministack.core.iam_actions", "request_tag_context", "wrapped: cloudwatch:namespace is missing")
    IAM_DENIED = ("ministack.core.iam_actions", "access_denied_response", "called: a refusal in the service's form")
    IAM_ENFORCE = ("ministack.core.iam_evaluator", "enforce", "called: KMS and PassRole checks that are missing")
    STS_REGISTER = ("ministack.services.sts", "register_session", "called: credentials of a job's role")

    IAM_ROLES = ("ministack.services.iam", "_roles", "read: whom a role trusts")

    CW_TIME = (_CLOUDWATCH, "time", "replaced: metrics and alarms live on the simulated clock")
    CW_EVALUATE = (_CLOUDWATCH, "_evaluate_alarm", "replaced: it mixes dimensions and knows no M of N")
    CW_EVALUATE_ALL = (_CLOUDWATCH, "_evaluate_all_alarms", "replaced: evaluation also happens without PutMetricData")
    CW_DISPATCH = (_CLOUDWATCH, "_dispatch_alarm_actions", "replaced: its SNS message lacks half of AWS's members")
    CW_PUT = (_CLOUDWATCH, "_put_metric_alarm", "wrapped: it drops WarmUpConfiguration")
    CW_ERROR = (_CLOUDWATCH, "_error", "called: a refusal in the request's protocol")
    CW_PARENTS = (_CLOUDWATCH, "_evaluate_parent_alarms", "called: composite alarms")
    CW_HISTORY = (_CLOUDWATCH, "_record_history", "called: alarm history")
    CW_ALARMS = (_CLOUDWATCH, "_alarms", "read: every account's alarms")
    CW_METRICS = (_CLOUDWATCH, "_metrics", "read: data points of one exact dimension set")
    CW_DIMENSIONS = (_CLOUDWATCH, "_dims_key", "called: the key of a dimension set")
    CW_STATISTICS = (_CLOUDWATCH, "_calc_stats", "called: statistics of one period")
    CW_STATISTIC = (_CLOUDWATCH, "_stat_value", "called: one statistic of one period")
    CW_STORE = (_CLOUDWATCH, "_store_datum", "called: a service's own metric, with its time and many values")
    CW_RECORD = (_CLOUDWATCH, "record_metric", "called: a service's own metric")
    SQS_QUEUES = ("ministack.services.sqs", "_queues", "read: every account's queues, of which no metric is published")
    SNS_FANOUT = ("ministack.services.sns", "_fanout", "called: deliver an alarm's message to a topic")
    LAMBDA_EXECUTE = (
        "ministack.services.lambda_svc",
        "_execute_function_with_config_scope",
        "wrapped: it ignores reserved concurrency",
    )

    EVENTS_INVOKE = ("ministack.services.eventbridge", "_invoke_target", "wrapped: universal targets end in a warning")
    EVENTS_TICK = ("ministack.services.eventbridge", "_SCHEDULER_TICK_INTERVAL", "replaced: 10 real seconds is hours")
    EVENTS_NOW = ("ministack.services.eventbridge", "_now_ts", "replaced: events and rules follow the simulated clock")
    EVENTS_BUS = ("ministack.services.eventbridge", "_ensure_default_bus", "called: before a service's event")
    EVENTS_PUT = ("ministack.services.eventbridge", "_put_events", "called: events of source aws.*")
    EVENTS_CRON = ("ministack.services.eventbridge", "_parse_cron_fields", "called: cron expressions")
    EVENTS_NEXT = ("ministack.services.eventbridge", "_cron_next_fire", "called: the next time of a cron expression")
    EVENTS_RATE = ("ministack.services.eventbridge", "_parse_rate_seconds", "called: rate expressions")
    SCHEDULER_TIME = ("ministack.services.scheduler", "time", "replaced: schedules follow the simulated clock")
    SCHEDULER_TICK = ("ministack.services.scheduler", "_SCHEDULE_TICK_INTERVAL", "replaced: 10 real seconds is hours")
    SCHEDULES = ("ministack.services.scheduler", "_schedules", "read: every account's schedules")

    ECR_DESCRIBE = ("ministack.services.ecr", "_describe_images", "wrapped: an unknown tag answers 200, so CDK skips")
    ECR_REPOSITORIES = ("ministack.services.ecr", "_repositories", "read: whether a repository exists")
    ECR_FIND = ("ministack.services.ecr", "_find_image", "called: whether an image exists")
    S3_ENCRYPTION = ("ministack.services.s3", "_bucket_encryption", "read: the key that a bucket encrypts with")
    S3_ENCRYPT = ("ministack.services.s3", "_put_bucket_encryption", "called: CloudFormation drops BucketEncryption")

    CFN_HANDLERS = (_PROVISIONERS, "_RESOURCE_HANDLERS", "extended: our services' types; AWS::S3::Bucket wrapped")
    CFN_REPLACING = (_PROVISIONERS, "_REPLACING_PROPERTIES", "extended: create-only properties of our types")
    CFN_NAMED = (_PROVISIONERS, "_CUSTOM_NAME_REPLACEMENT", "extended: a named resource cannot be replaced")
    CFN_TAGS = (_PROVISIONERS, "_STACK_TAG_PROPERTY", "extended: stack tags reach our types")
    CFN_NAME = (_PROVISIONERS, "_physical_name", "called: generated physical names")
    CFN_ALARM = (_PROVISIONERS, "_cw_metric_alarm_record", "wrapped: it drops WarmUpConfiguration")
    CFN_THREADED = (
        "ministack.services.cloudformation.stacks",
        "_runs_on_worker_thread",
        "wrapped: creating an endpoint waits until it serves",
    )

    def __init__(self, module: str, attribute: str, why: str) -> None:
        self.module = module
        self.attribute = attribute
        self.why = why

    def take(self) -> Any:
        """Return what MiniStack has under this name now.

        Raises
        ------
        AttributeError
            If the installed MiniStack has no such name.
        """
        return getattr(importlib.import_module(self.module), self.attribute)

    def replace(self, value: Any) -> Any:
        """Put `value` under this name and return what was there."""
        before = self.take()
        setattr(importlib.import_module(self.module), self.attribute, value)
        return before

"""What MiniStack's ECR, Lambda, S3 and their CloudFormation types leave out, and the product needs."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from plumbline.local.aws.seams import Seam

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]
_Execute = Callable[[dict[str, Any], Any], Any]


def install() -> None:
    """Fill the gaps of all three services."""
    _refuse_unknown_images()
    _encrypt_buckets()
    SerialInvocations().install()


def _refuse_unknown_images() -> None:
    """Make ECR's DescribeImages refuse an unknown image: else `cdk deploy` never builds one."""
    before = Seam.ECR_DESCRIBE.take()

    def describe(data: dict[str, Any]) -> Any:
        repository = data.get("repositoryName")
        if repository in Seam.ECR_REPOSITORIES.take():
            for image in data.get("imageIds") or []:
                if not Seam.ECR_FIND.take()(repository, image):
                    message = f"The image with imageId {image} does not exist within the repository '{repository}'"
                    return Seam.JSON_ERROR.take()("ImageNotFoundException", message, 400)
        return before(data)

    Seam.ECR_DESCRIBE.replace(describe)


def _encrypt_buckets() -> None:
    """Make buckets of a template encrypt by their BucketEncryption, which MiniStack drops."""
    handlers = Seam.CFN_HANDLERS.take()["AWS::S3::Bucket"]
    create, update = handlers["create"], handlers["update"]

    def create_encrypted(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        made: Provisioned = create(logical_id, properties, stack_name)
        _encrypt(made[0], properties)
        return made

    def update_encrypted(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Provisioned:
        made: Provisioned = update(physical_id, old, new, *rest)
        _encrypt(made[0], new)
        return made

    handlers.update(create=create_encrypted, update=update_encrypted)


def _encrypt(bucket: str, properties: Properties) -> None:
    configuration = properties.get("BucketEncryption") or {}
    for rule in configuration.get("ServerSideEncryptionConfiguration", []):
        Seam.S3_ENCRYPT.take()(bucket, encryption_xml(rule).encode())


def encryption_xml(rule: Properties) -> str:
    """Return a bucket encryption rule in S3's own form.

    Without a key id KMS would mean S3's managed key, which MiniStack does not have: such a bucket gets AES256.
    """
    default = rule.get("ServerSideEncryptionByDefault", {})
    key = default.get("KMSMasterKeyID")
    algorithm = default.get("SSEAlgorithm", "AES256") if key else "AES256"
    key_element = f"<KMSMasterKeyID>{key}</KMSMasterKeyID>" if key else ""
    bucket_key = str(rule.get("BucketKeyEnabled", False)).lower()
    return (
        "<ServerSideEncryptionConfiguration><Rule>"
        "<ApplyServerSideEncryptionByDefault>"
        f"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{key_element}"
        "</ApplyServerSideEncryptionByDefault>"
        f"<BucketKeyEnabled>{bucket_key}</BucketKeyEnabled>"
        "</Rule></ServerSideEncryptionConfiguration>"
    )


class SerialInvocations:
    """Holds each event back until the function's earlier ones are handled.

    AWS queues asynchronous events and tries again while the function's reserved concurrency is used up. MiniStack's
    CloudFormation drops ReservedConcurrentExecutions, and its topics, rules and schedules start one thread for each
    event: two alarms of one minute would run the function twice at once. Every function here has a reserved
    concurrency of 1.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def install(self) -> None:
        """Make every delivery of an event wait for its turn."""
        execute: _Execute = Seam.LAMBDA_EXECUTE.take()
        Seam.LAMBDA_EXECUTE.replace(lambda function, event: self._one_by_one(execute, function, event))

    def _one_by_one(self, execute: _Execute, function: dict[str, Any], event: Any) -> Any:
        with self._guard:
            lock = self._locks[function["config"]["FunctionName"]]
        with lock:
            return execute(function, event)

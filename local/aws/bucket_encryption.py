"""AWS::S3::Bucket's BucketEncryption, which MiniStack drops."""

from typing import Any

from local.aws.seams import Seam

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]


def install() -> None:
    """Make buckets of a template encrypt as their BucketEncryption says."""
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

"""Buckets, and permissions narrower than the buckets' own grants: one action, one prefix."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

NONCURRENT_DAYS = 30
"""How long a replaced or deleted object can be brought back."""
EXPIRED_DAYS = 1
"""The same where objects expire by age: what was captured is to be gone when its retention is over."""
ABANDONED_UPLOAD_DAYS = 7
OBJECT_SUFFIXES = (".tar.gz", ".zip", ".csv", ".json")
"""Endings of keys that are objects; any other key is a prefix."""


class SecureBucket(Construct):
    """Bucket whose grants are scoped to a key prefix.

    Parameters
    ----------
    key
        Encrypts the objects; bucket keys keep its use, and its cost, low.
    access_logs
        Bucket of its access logs, which go below the construct's id.
    expire_after
        Age at which objects disappear; absent: never.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        access_logs: s3.IBucket,
        removal: RemovalPolicy,
        expire_after: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Expire",
                    expiration=expire_after,
                    noncurrent_version_expiration=Duration.days(EXPIRED_DAYS if expire_after else NONCURRENT_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(ABANDONED_UPLOAD_DAYS),
                )
            ],
            removal_policy=removal,
        )

    def uri(self, prefix: str) -> str:
        """Return the s3:// URI of `prefix`."""
        return self.bucket.s3_url_for_object(prefix)

    def allow_read(self, role: iam.Role, prefix: str) -> None:
        """Let `role` list and read what is below `prefix`."""
        self.allow_list(role, prefix)
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(f"{prefix}/*"))
        self._key.grant(role, "kms:Decrypt")

    def allow_read_named(self, role: iam.Role, prefix: str, name: str) -> None:
        """Let `role` list what is below `prefix`, and read the objects ``prefix/*/name``."""
        self.allow_list(role, prefix)
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(f"{prefix}/*/{name}"))
        self._key.grant(role, "kms:Decrypt")

    def allow_read_folders(self, role: iam.Role, prefix: str, name: str) -> None:
        """Let `role` list and read the keys ``prefix/*/name/*``."""
        allow_list(role, self.bucket.bucket_arn, [f"{prefix}/*/{name}", f"{prefix}/*/{name}/*"])
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(f"{prefix}/*/{name}/*"))
        self._key.grant(role, "kms:Decrypt")

    def allow_read_object(self, role: iam.Role, key: str, *, by_get: bool) -> None:
        """Let `role` read one object, and list it: S3 reports an absent object only to roles that may list.

        `by_get`: the role finds out by GetObject, which carries no prefix that a condition could compare.
        """
        allow_list(role, self.bucket.bucket_arn, [key], "StringLikeIfExists" if by_get else "StringLike")
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(key))
        self._key.grant(role, "kms:Decrypt")

    def allow_write_object(self, role: iam.Role, key: str) -> None:
        """Let `role` put one object."""
        allow_objects(role, "s3:PutObject", self.bucket.arn_for_objects(key))
        self._key.grant(role, "kms:GenerateDataKey", "kms:Decrypt")

    def allow_list(self, role: iam.Role, prefix: str) -> None:
        """Let `role` list `prefix` and what is below it only."""
        allow_list(role, self.bucket.bucket_arn, [prefix, f"{prefix}/*"])

    def allow_write(self, role: iam.Role, prefix: str) -> None:
        """Let `role` put objects below `prefix`.

        CreateTrainingJob requires Encrypt (API reference, OutputDataConfig), and S3 requires Decrypt for multipart
        uploads.
        """
        allow_objects(role, "s3:PutObject", self.bucket.arn_for_objects(f"{prefix}/*"))
        self._key.grant(role, "kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt")


class AccessLogBucket(Construct):
    """Private, TLS-only bucket for access logs.

    Encrypted with S3's own key: log delivery does not write to a bucket whose default key is a customer's
    (S3 User Guide, "Enabling Amazon S3 server access logging").
    """

    def __init__(self, scope: Construct, construct_id: str, *, expire_after: Duration, removal: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Expire",
                    expiration=expire_after,
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(ABANDONED_UPLOAD_DAYS),
                )
            ],
            removal_policy=removal,
        )


def allow_list(role: iam.Role, arn: str, prefixes: list[str], operator: str = "StringLike") -> None:
    """Let `role` list keys of the bucket that match `prefixes`."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[arn],
            conditions={operator: {"s3:prefix": prefixes}},
        )
    )


def allow_objects(role: iam.Role, action: str, resource: str) -> None:
    """Let `role` perform one action on one object, or on what is below one prefix."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=[action], resources=[resource]))


def allow_read_of(role: iam.Role, bucket_name: str, key: str) -> None:
    """Let `role` read and list an object, or what is below a prefix: jobs list even a single object."""
    is_object = key.endswith(OBJECT_SUFFIXES)
    allow_list(role, bucket_arn(role, bucket_name), [key] if is_object else [key, f"{key}/*"])
    allow_objects(role, "s3:GetObject", objects_arn(role, bucket_name, key))


def objects_arn(scope: Construct, bucket_name: str, key: str) -> str:
    """Return the ARN of an object, or the pattern of what is below a prefix."""
    arn = f"{bucket_arn(scope, bucket_name)}/{key}"
    return arn if key.endswith(OBJECT_SUFFIXES) else f"{arn}/*"


def bucket_arn(scope: Construct, bucket_name: str) -> str:
    """Return the ARN of a bucket by its name."""
    return Stack.of(scope).format_arn(
        service="s3", region="", account="", resource=bucket_name, arn_format=ArnFormat.NO_RESOURCE_NAME
    )

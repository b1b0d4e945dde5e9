"""A bucket that is encrypted with our key, versioned, private, TLS-only, logged and expiring."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.s3_grants import allow_list, allow_objects

NONCURRENT_DAYS = 30
"""How long a replaced or deleted object can be brought back."""
EXPIRED_DAYS = 1
"""The same where objects expire by age: what was captured is to be gone when its retention is over."""
ABANDONED_UPLOAD_DAYS = 7


class SecureBucket(Construct):
    """Bucket whose grants are scoped to a key prefix.

    Parameters
    ----------
    key
        Key of the objects; bucket keys keep its use, and its cost, low.
    access_logs
        Where its access logs go, below the construct's id.
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
        """Let `role` list what is below `prefix`, and read of it the objects called `name`."""
        self.allow_list(role, prefix)
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(f"{prefix}/*/{name}"))
        self._key.grant(role, "kms:Decrypt")

    def allow_read_folders(self, role: iam.Role, prefix: str, name: str) -> None:
        """Let `role` list and read what is in a folder called `name` of any folder below `prefix`."""
        allow_list(role, self.bucket.bucket_arn, [f"{prefix}/*/{name}", f"{prefix}/*/{name}/*"])
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(f"{prefix}/*/{name}/*"))
        self._key.grant(role, "kms:Decrypt")

    def allow_read_object(self, role: iam.Role, key: str, *, asks: bool) -> None:
        """Let `role` read one object, and find out that there is none: S3 tells that to those who may list.

        A role that `asks` does so by GetObject, which has no prefix that a condition could see.
        """
        allow_list(role, self.bucket.bucket_arn, [key], "StringLikeIfExists" if asks else "StringLike")
        allow_objects(role, "s3:GetObject", self.bucket.arn_for_objects(key))
        self._key.grant(role, "kms:Decrypt")

    def allow_write_object(self, role: iam.Role, key: str) -> None:
        """Let `role` put one object."""
        allow_objects(role, "s3:PutObject", self.bucket.arn_for_objects(key))
        self._key.grant(role, "kms:GenerateDataKey", "kms:Decrypt")

    def allow_list(self, role: iam.Role, prefix: str) -> None:
        """Let `role` list `prefix` and nothing beside it."""
        allow_list(role, self.bucket.bucket_arn, [prefix, f"{prefix}/*"])

    def allow_write(self, role: iam.Role, prefix: str) -> None:
        """Let `role` put objects below `prefix`.

        Encrypt is what CreateTrainingJob asks of the role (API reference, OutputDataConfig), Decrypt what S3 asks of
        multipart uploads.
        """
        allow_objects(role, "s3:PutObject", self.bucket.arn_for_objects(f"{prefix}/*"))
        self._key.grant(role, "kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt")

"""Where the other buckets' access logs go."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.secure_bucket import ABANDONED_UPLOAD_DAYS


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

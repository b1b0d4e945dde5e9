"""The rules of single features as a file: an environment variable of a monitoring job holds 256 characters."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from contract.names import POLICY_VERSION
from stacks.config_thresholds import FeatureSection
from stacks.constructs.s3_grants import allow_objects, objects_arn

FILE_NAME = "policy.json"


class PolicyFile(Construct):
    """JSON object at `uri`, written at synthesis; equal settings give the same object.

    Parameters
    ----------
    features
        Settings by feature name, at least one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, features: Mapping[str, FeatureSection]) -> None:
        super().__init__(scope, construct_id)
        with tempfile.TemporaryDirectory(prefix="plumbline-policy-") as folder:
            file = Path(folder, FILE_NAME)
            file.write_text(policy_text(features), encoding="utf-8")
            self._asset = assets.Asset(self, "Asset", path=str(file))
        self.uri = self._asset.s3_object_url

    def allow_read(self, role: iam.Role) -> None:
        """Let `role` read this object."""
        allow_objects(role, "s3:GetObject", objects_arn(self, self._asset.s3_bucket_name, self._asset.s3_object_key))


def policy_text(features: Mapping[str, FeatureSection]) -> str:
    """Return the policy file: what the environment file says of each feature and no more."""
    rules = {name: settings.model_dump(mode="json", exclude_unset=True) for name, settings in features.items()}
    return json.dumps({"version": POLICY_VERSION, "features": rules}, indent=2, sort_keys=True) + "\n"

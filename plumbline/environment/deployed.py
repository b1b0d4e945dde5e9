"""A deployed environment for the command line: stack outputs, the two functions, registry and files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.champion import CHAMPION_HISTORY, ChampionHistory
from plumbline.contract.names import GROUND_TRUTH_OUTPUT, Prefix
from plumbline.contract.retraining import SwitchPosition, model_package_group, retraining_switch
from plumbline.stacks.naming import Naming

CONTROLLER = "RetrainingFunctionName"
PROMOTION = "PromotionFunctionName"
"""Outputs of the monitoring stack."""
ARTIFACTS = "ArtifactsBucketName"
REPORTS = "ReportsBucketName"
"""Outputs of the foundation stack."""


@dataclass(frozen=True)
class Deployed:
    """One environment; `connect` makes the client of a service."""

    environment: str
    connect: Callable[[str], Any]

    def invoke(self, output: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Call the function that an output of the monitoring stack names, and return its answer.

        Raises
        ------
        ValueError
            If there is no such function, or it failed.
        botocore.exceptions.ClientError
            If AWS refuses.
        """
        answer = self.connect("lambda").invoke(
            FunctionName=self._output("monitoring", output), Payload=json.dumps(event).encode()
        )
        document: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ValueError(
                f"the function must answer, got {document.get('errorType')}: {document.get('errorMessage')}; read "
                "its log"
            )
        return document

    def history(self) -> ChampionHistory:
        """Return the history of what served.

        Raises
        ------
        ValueError
            If there is none yet, or it cannot be read.
        """
        client = self.connect("s3")
        bucket = self._output("foundation", ARTIFACTS)
        try:
            answer = client.get_object(Bucket=bucket, Key=f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}")
        except client.exceptions.NoSuchKey:
            raise ValueError(
                f"environment {self.environment} must have a history of champions, got none; the promotion function "
                "writes it within an hour after the deployment"
            ) from None
        return ChampionHistory.from_json(answer["Body"].read().decode())

    def versions(self, newest: int) -> list[dict[str, Any]]:
        """Return DescribeModelPackage of the registry's newest versions, newest first."""
        client = self.connect("sagemaker")
        listed = client.list_model_packages(
            ModelPackageGroupName=model_package_group(self.environment),
            ModelPackageType="Versioned",
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=newest,
        )
        return [
            client.describe_model_package(ModelPackageName=each["ModelPackageArn"])
            for each in listed["ModelPackageSummaryList"]
        ]

    def turn(self, position: SwitchPosition) -> None:
        """Turn the switch of the loop.

        Raises
        ------
        ValueError
            If the environment has none.
        """
        client, name = self.connect("ssm"), retraining_switch(self.environment)
        try:
            client.get_parameter(Name=name)
        except client.exceptions.ParameterNotFound:
            raise ValueError(
                f"environment {self.environment} must have the switch {name}, got none; correct --environment, or "
                "deploy the monitoring stack"
            ) from None
        client.put_parameter(Name=name, Value=position.value, Type="String", Overwrite=True)

    def ground_truth_uri(self) -> str:
        """Return where labels are uploaded to.

        Raises
        ------
        ValueError
            If the environment has no labels.
        botocore.exceptions.ClientError
            If there is no such environment.
        """
        remedy = "add the section [labels] to the environment file and deploy it, or name the place with --to"
        return self._output("foundation", GROUND_TRUTH_OUTPUT, remedy)

    def accepted_uri(self) -> str:
        """Return where accepted windows are recorded.

        Raises
        ------
        ValueError
            If the environment has no bucket for it.
        botocore.exceptions.ClientError
            If there is no such environment.
        """
        return f"s3://{self._output('foundation', ARTIFACTS)}/{Prefix.ACCEPTED}"

    def reports_uri(self) -> str:
        """Return where the reports of the schedule are; errors are those of `accepted_uri`."""
        return f"s3://{self._output('foundation', REPORTS)}/{Naming(self.environment).report_prefix}"

    def caller(self) -> str:
        """Return the ARN of whom the credentials are."""
        return str(self.connect("sts").get_caller_identity()["Arn"])

    def _output(self, part: str, name: str, remedy: str = "deploy it again") -> str:
        stack = Naming(self.environment).stack(part)
        outputs = self.connect("cloudformation").describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", ())
        found = next((output["OutputValue"] for output in outputs if output["OutputKey"] == name), None)
        if found is None:
            raise ValueError(f"the stack {stack} must have the output {name}, got none; {remedy}")
        return str(found)

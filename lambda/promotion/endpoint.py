"""The endpoint, its configurations and models in SageMaker: the only module that calls their API."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from plumbline.functions.promotion.facts import EndpointStatus, EndpointView, UnusedResources
from plumbline.functions.promotion.sagemaker_requests import LiveConfiguration, Request
from plumbline.functions.shared.aws_client import AwsClients

REFUSED = "ValidationException"
"""Error code of a refused request: unknown names, taken names, an endpoint that is busy."""


class LiveModelError(Exception):
    """Raised when the serving configuration is not one that this function can replace."""


class RefusedError(Exception):
    """Raised when SageMaker refuses a Model, an EndpointConfig or an update; the text is SageMaker's."""


class BusyError(Exception):
    """Raised when another update of the endpoint is running."""


class SageMakerEndpoint:
    """One endpoint; `prefix` begins the names of the Models and EndpointConfigs that this function creates."""

    def __init__(self, endpoint: str, prefix: str, clients: AwsClients) -> None:
        self._endpoint = endpoint
        self._owned = re.compile(rf"{re.escape(prefix)}-\d+-[0-9a-f]{{8}}")
        self._prefix = prefix
        self._clients = clients

    def view(self) -> EndpointView:
        """Return the endpoint as it is now."""
        answer = self._client.describe_endpoint(EndpointName=self._endpoint)
        return EndpointView(
            answer["EndpointStatus"],
            answer["EndpointConfigName"],
            answer["LastModifiedTime"].astimezone(UTC).isoformat(),
            answer.get("FailureReason"),
        )

    def live(self, config: str) -> LiveConfiguration:
        """Return the configuration and the model behind it.

        Raises
        ------
        LiveModelError
            If it has not exactly one variant with one container.
        """
        described = self._client.describe_endpoint_config(EndpointConfigName=config)
        variants = described["ProductionVariants"]
        if len(variants) != 1 or "ModelName" not in variants[0]:
            raise LiveModelError(
                f"endpoint {self._endpoint} must have one variant with a model, got {len(variants)} in {config}; "
                "deploy the serving stack again"
            )
        model = self._client.describe_model(ModelName=variants[0]["ModelName"])
        if "ModelDataUrl" not in model.get("PrimaryContainer", {}):
            raise LiveModelError(
                f"model {model['ModelName']} must have one container with an artifact, got another kind; deploy the "
                "serving stack again"
            )
        return LiveConfiguration(described, model)

    def create(self, model: Request, config: Request) -> datetime:
        """Create both unless they exist, and return when the configuration was created.

        Names contain a digest of the request: what exists under the name is what was requested.

        Raises
        ------
        RefusedError
            If SageMaker refuses one of them.
        """
        self._create("create_model", model, lambda: self._client.describe_model(ModelName=model["ModelName"]))
        name = config["EndpointConfigName"]

        def describe() -> Any:
            return self._client.describe_endpoint_config(EndpointConfigName=name)

        self._create("create_endpoint_config", config, describe)
        created: datetime = describe()["CreationTime"]
        return created

    def update(self, request: Request) -> None:
        """Begin to update the endpoint.

        Raises
        ------
        BusyError
            If another update is running.
        RefusedError
            If SageMaker refuses the update.
        """
        try:
            self._client.update_endpoint(**request)
        except self._client.exceptions.ClientError as error:
            if not _refused(error):
                raise
            if self.view().status != EndpointStatus.IN_SERVICE:
                raise BusyError(str(error)) from error
            raise RefusedError(str(error)) from error

    def unused(self, config: str, model: str) -> UnusedResources:
        """Return what this function created, except the configuration and the model that serve."""
        configs = self._names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
        models = self._names("list_models", "Models", "ModelName")
        return UnusedResources(
            tuple(name for name in configs if name != config), tuple(name for name in models if name != model)
        )

    def delete(self, unused: UnusedResources) -> None:
        """Delete them, configurations first."""
        for name in unused.configs:
            self._client.delete_endpoint_config(EndpointConfigName=name)
        for name in unused.models:
            self._client.delete_model(ModelName=name)

    def _create(self, operation: str, request: Request, describe: Any) -> None:
        error_type = self._client.exceptions.ClientError
        try:
            getattr(self._client, operation)(**request)
        except error_type as error:
            if not _refused(error):
                raise
            try:
                describe()
            except error_type:
                raise RefusedError(str(error)) from error

    def _names(self, operation: str, member: str, name: str) -> Iterator[str]:
        pages = self._client.get_paginator(operation).paginate(NameContains=self._prefix)
        names = (entry[name] for page in pages for entry in page[member])
        return (each for each in names if self._owned.fullmatch(each))

    @property
    def _client(self) -> Any:
        return self._clients["sagemaker"]


def _refused(error: Any) -> bool:
    return bool(error.response["Error"]["Code"] == REFUSED)

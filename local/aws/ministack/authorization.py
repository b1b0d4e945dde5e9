"""IAM checks that MiniStack lacks: cloudwatch:namespace, KMS rights behind S3, roles passed to SageMaker."""

import re
from dataclasses import dataclass
from typing import Any, Final

from plumbline.local.aws import sagemaker_api
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import resource_name
from plumbline.local.aws.sagemaker_api import Handler, Response
from plumbline.local.aws.seams import Seam
from plumbline.local.aws.sessions import SAGEMAKER

_KEY_HEADER: Final = "x-amz-server-side-encryption-aws-kms-key-id"
_KEY_ELEMENT: Final = re.compile(r"<KMSMasterKeyID>([^<]+)</KMSMasterKeyID>")
_NO_DATA: Final = {"tagging", "acl", "retention", "legal-hold"}
"""Sub-resources of an object whose requests touch no encrypted bytes."""


def install(plane: ControlPlane) -> None:
    """Add the checks to the server. SageMaker's handler must be installed before."""
    handlers = Seam.HANDLERS.take()
    handlers["s3"] = _checking_keys(handlers["s3"])
    handlers["sagemaker"] = _checking_roles(plane, handlers["sagemaker"])
    _name_resources(plane)
    _name_metric_namespaces()


def _name_resources(plane: ControlPlane) -> None:
    before = Seam.IAM_RESOURCE.take()

    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == "sagemaker":
            return sagemaker_api.resource_arn(plane, path, headers, body)
        repositories = sagemaker_api.parameters(body).get("repositoryNames") if service == "ecr" else None
        if repositories:
            # DescribeRepositories, which the CDK's publishing role may only call for its own repository.
            return f"arn:aws:ecr:{plane.region}:{plane.account}:repository/{repositories[0]}"
        alarms = sagemaker_api.parameters(body).get("AlarmNames") if service == "monitoring" else None
        if alarms:
            # DescribeAlarms of metric alarms, which a role may be allowed one by one; one ARN is all there is room for.
            return f"arn:aws:cloudwatch:{plane.region}:{plane.account}:alarm:{alarms[0]}"
        parameters = sagemaker_api.parameters(body).get("Names") if service == "ssm" else None
        if parameters:
            # GetParameters, which a role may be allowed one by one.
            return f"arn:aws:ssm:{plane.region}:{plane.account}:parameter/{str(parameters[0]).lstrip('/')}"
        return str(before(service, method, path, headers, body, *rest))

    Seam.IAM_RESOURCE.replace(extract)


def _name_metric_namespaces() -> None:
    before = Seam.IAM_CONTEXT.take()

    def context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = before(service, action, body, params)
        if action == "cloudwatch:PutMetricData":
            found = {**found, "cloudwatch:namespace": metric_namespace(body, params)}
        return found

    Seam.IAM_CONTEXT.replace(context)


def metric_namespace(body: bytes, params: dict[str, Any]) -> str:
    """Return the namespace of a PutMetricData request, JSON or form-encoded; empty when it cannot be read."""
    if body[:1] == b"{":
        return str(sagemaker_api.parameters(body).get("Namespace", ""))
    value = params.get("Namespace", "")
    return str(value[0] if isinstance(value, list) else value)


def _checking_keys(handle: Handler) -> Handler:
    async def checked(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        bucket, _, key = path.lstrip("/").partition("/")
        if key and method in ("PUT", "GET") and not _NO_DATA & set(query):
            kms_key = headers.get(_KEY_HEADER) or _bucket_key(bucket)
            if kms_key and kms_key.startswith("arn:"):
                action = "kms:GenerateDataKey" if method == "PUT" else "kms:Decrypt"
                denial = _denial(_Caller(headers, query), "s3", action, kms_key)
                if denial:
                    return denial
        return await handle(method, path, headers, body, query)

    return checked


def _bucket_key(bucket: str) -> str | None:
    match = _KEY_ELEMENT.search(Seam.S3_ENCRYPTION.take().get(bucket) or "")
    return match.group(1) if match else None


def _checking_roles(plane: ControlPlane, handle: Handler) -> Handler:
    async def checked(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        name, params = sagemaker_api.operation(headers), sagemaker_api.parameters(body)
        caller = _Caller(headers, query)
        for role in passed_roles(name, params):
            denial = _denial(caller, "sagemaker", "iam:PassRole", role, **{"iam:PassedToService": SAGEMAKER})
            if denial:
                return denial
        for config in deployed_configs(name, params):
            resource = plane.arn("EndpointConfig", config)
            denial = _denial(caller, "sagemaker", f"sagemaker:{name}", resource)
            if denial:
                return denial
        if name == "CreateModelPackage":
            # A version belongs to its group: policies name both, and which of the two AWS checks is not documented.
            resource = plane.arn("ModelPackageGroup", resource_name(str(params.get("ModelPackageGroupName", "*"))))
            denial = _denial(caller, "sagemaker", f"sagemaker:{name}", resource)
            if denial:
                return denial
        if name.startswith("Create") and params.get("Tags"):
            resource = sagemaker_api.resource_arn(plane, path, headers, body)
            denial = _denial(caller, "sagemaker", "sagemaker:AddTags", resource)
            if denial:
                return denial
        return await handle(method, path, headers, body, query)

    return checked


def passed_roles(operation: str, params: dict[str, Any]) -> list[str]:
    """Return the ARNs of the roles that a request hands to SageMaker."""
    if not operation.startswith(("Create", "Update")):
        return []
    schedule = params.get("MonitoringScheduleConfig") or {}
    definition = schedule.get("MonitoringJobDefinition") or {}
    found = (params.get("RoleArn"), params.get("ExecutionRoleArn"), definition.get("RoleArn"))
    return [role for role in found if isinstance(role, str)]


def deployed_configs(operation: str, params: dict[str, Any]) -> list[str]:
    """Return the endpoint configuration that a request needs its action on, besides the endpoint that it names.

    Source: Service Authorization Reference, where both are required resources of these two actions.
    """
    config = params.get("EndpointConfigName")
    return [config] if operation in ("CreateEndpoint", "UpdateEndpoint") and isinstance(config, str) else []


def _denial(caller: "_Caller", answering: str, action: str, resource: str, **context: str) -> Response | None:
    """Return `answering`'s refusal of an action that the caller needs besides its request's own; None if allowed."""
    verdict = Seam.IAM_ENFORCE.take()(
        caller.access_key,
        action,
        action.partition(":")[0],
        caller.region,
        resource_arn=resource,
        service_context=context,
    )
    if verdict is None:
        return None
    principal = getattr(verdict, "principal_arn", "")
    refusal: Response = Seam.IAM_DENIED.take()(
        answering, action, principal, "local", headers=caller.headers, resource_arn=resource
    )
    return refusal


@dataclass(frozen=True)
class _Caller:
    """The principal and Region of a request."""

    headers: dict[str, str]
    query: dict[str, Any]

    @property
    def access_key(self) -> str:
        return Seam.ACCESS_KEY.take()(self.headers, self.query) or ""

    @property
    def region(self) -> str:
        return str(Seam.REQUEST_REGION.take()(self.headers, self.query))

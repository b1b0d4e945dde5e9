"""SageMaker's two HTTP interfaces: JSON operations of the control plane, and InvokeEndpoint."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from urllib.parse import unquote

from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import KINDS, resource_name
from plumbline.local.aws.sagemaker.model_packages import package_arn
from plumbline.local.aws.seams import Seam

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Response]]

_INVOCATIONS: Final = re.compile(r"^/endpoints/([^/]+)/invocations$")
INVOKED_VARIANT: Final = "x-Amzn-Invoked-Production-Variant"
"""Header that only answers of InvokeEndpoint carry."""
_ARNS: Final = ("ResourceArn", "PipelineExecutionArn", "ModelPackageArn", "ModelPackageName")
"""Members that name a request's resource by its ARN; a model package's name is one for versions of a group."""
_OWNERS: Final = {
    "StartPipelineExecution": "Pipeline",
    "ListPipelineExecutions": "Pipeline",
    "CreateModelPackage": "ModelPackageGroup",
    "ListModelPackages": "ModelPackageGroup",
}
"""Operations whose permission is on another kind of resource than their name contains."""
_ON_VERSIONS: Final = {"CreateModelPackage", "ListModelPackages"}
"""Operations on a group whose permission is on its versions."""
_JSON: Final = {"Content-Type": "application/x-amz-json-1.1"}
_log = logging.getLogger(__name__)


class Invoker(Protocol):
    """Answers InvokeEndpoint."""

    def invoke(self, endpoint_name: str, headers: dict[str, str], body: bytes) -> Response:
        """Answer one invocation."""


class JsonService(Protocol):
    """Answers the JSON operations of one service."""

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer one operation, or raise ApiError."""


def install(plane: ControlPlane, endpoints: Invoker) -> None:
    """Make the server route, authorize and answer SageMaker requests."""

    async def handle(_method: str, path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]) -> Response:
        # On a thread: jobs and endpoints call this server back.
        name = endpoint_name(path)
        if name is not None:
            return await asyncio.to_thread(endpoints.invoke, name, headers, body)
        return await asyncio.to_thread(respond, plane, operation(headers), body)

    Seam.ROUTES.take()["sagemaker"] = {"target_prefixes": ["SageMaker."], "host_patterns": [r"sagemaker\."]}
    Seam.HANDLERS.take()["sagemaker"] = handle
    Seam.IAM_NAMESPACES.take()["sagemaker"] = "sagemaker"
    Seam.IAM_MODELS.take()["sagemaker"] = ["sagemaker-runtime"]
    _keep_models_content_type()


def _keep_models_content_type() -> None:
    """Leave InvokeEndpoint's answers as the model typed them: application/json would become the control plane's."""
    correct = Seam.ANSWER_TYPE.take()

    def correct_envelopes(service: str, status: int, headers: dict[str, str]) -> None:
        if INVOKED_VARIANT not in headers:
            correct(service, status, headers)

    Seam.ANSWER_TYPE.replace(correct_envelopes)


def respond(service: JsonService, operation_name: str, body: bytes) -> Response:
    """Answer one JSON operation of a service."""
    try:
        params = json.loads(body or b"{}")
        answer = service.call(operation_name, params)
    except ApiError as error:
        return _refusal(error)
    except ValueError:
        return _refusal(ApiError("SerializationException", "the request body is not JSON"))
    except Exception as error:
        _log.exception("%s failed", operation_name)
        return _refusal(ApiError("InternalFailure", repr(error), status=500))
    return 200, dict(_JSON), json.dumps(answer).encode()


def _refusal(error: ApiError) -> Response:
    return error.status, dict(_JSON), json.dumps({"__type": error.code, "message": str(error)}).encode()


def operation(headers: dict[str, str]) -> str:
    """Return the name of a control-plane request's operation."""
    return headers.get("x-amz-target", "").rpartition(".")[2]


def endpoint_name(path: str) -> str | None:
    """Return which endpoint an InvokeEndpoint request is for; None for another request."""
    match = _INVOCATIONS.match(path)
    return unquote(match.group(1)) if match else None


def resource_arn(plane: ControlPlane, path: str, headers: dict[str, str], body: bytes) -> str:
    """Return the ARN that IAM checks a request against; ``*`` for operations without one."""
    name = endpoint_name(path)
    if name is not None:
        return plane.arn("Endpoint", name)
    params = parameters(body)
    for member in _ARNS:
        if str(params.get(member, "")).startswith("arn:"):
            return str(params[member])
    subject = re.sub(r"^[A-Z][a-z]+", "", operation(headers))
    owner = _OWNERS.get(operation(headers))
    kind = KINDS.get(owner or subject)
    arn = plane.arn(kind.name, resource_name(str(params.get(kind.name_field, "*")))) if kind else "*"
    return package_arn(arn, "*") if operation(headers) in _ON_VERSIONS else arn


def parameters(body: bytes) -> dict[str, Any]:
    """Return a request's parameters; none when the body is no JSON object: the operation refuses it later."""
    try:
        params = json.loads(body or b"{}")
    except ValueError:
        return {}
    return params if isinstance(params, dict) else {}

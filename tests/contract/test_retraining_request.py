"""The request against botocore's own model of StartPipelineExecution, and against the pipeline's parameters."""

import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from plumbline.contract.retraining import MAX_METADATA_LENGTH, PipelineParameter
from plumbline.functions.retraining.aws import start_request
from plumbline.functions.retraining.events import RetrainingRequest
from plumbline.functions.retraining.runs import new_run
from plumbline.functions.retraining.triggers import RetrainingTrigger, alarm_trigger, request_trigger
from tests.unit.functions.retraining.builders import change
from tests.unit.functions.retraining.fakes import NOW, SETTINGS, FakeAws

SHAPE = botocore.session.get_session().get_service_model("sagemaker").operation_model("StartPipelineExecution")
REASON = "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (01/03/26 05:00:00)] was > 0.0, \u2265 \u00e9 " * 9
TRIGGERS = {
    "alarm": alarm_trigger(change("plumbline-dev-concept-shift" + "-x" * 100, reason=REASON), NOW),
    "person": request_trigger(RetrainingRequest(REASON, "request-1", force=True), NOW),
}


@pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS)
def test_request_matches_the_service_model(trigger: RetrainingTrigger) -> None:
    request = start_request(SETTINGS, new_run(trigger, FakeAws().facts(NOW), SETTINGS))
    assert SHAPE.input_shape is not None
    report = ParamValidator().validate(request, SHAPE.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert list(_broken(request, SHAPE.input_shape)) == []


@pytest.mark.parametrize("trigger", TRIGGERS.values(), ids=TRIGGERS)
def test_request_gives_every_parameter_of_the_pipeline(trigger: RetrainingTrigger) -> None:
    request = start_request(SETTINGS, new_run(trigger, FakeAws().facts(NOW), SETTINGS))
    values = {parameter["Name"]: parameter["Value"] for parameter in request["PipelineParameters"]}
    assert set(values) == set(PipelineParameter)
    assert 0 < len(values[PipelineParameter.CAUSE]) <= MAX_METADATA_LENGTH
    assert not set(values[PipelineParameter.CAUSE]) & set("[](),>")


def test_same_run_makes_the_same_request() -> None:
    run = new_run(TRIGGERS["alarm"], FakeAws().facts(NOW), SETTINGS)
    assert start_request(SETTINGS, run) == start_request(SETTINGS, run)


def _broken(value: Any, shape: Any) -> Any:
    """Yield texts that break a pattern or length of the model; botocore itself leaves those to the service."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _broken(member, shape.members[name])
    elif shape.type_name == "list":
        for member in value:
            yield from _broken(member, shape.member)
    elif shape.type_name == "string":
        limits = shape.metadata
        within = limits.get("min", 0) <= len(value) <= limits.get("max", len(value))
        if not within or not re.fullmatch(limits.get("pattern", "(?s:.*)"), value):
            yield f"{shape.name}: {value!r}"

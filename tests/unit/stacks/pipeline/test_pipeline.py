"""The pipeline's definition: what the SDK makes is what is committed, and what a stack fills in is all there is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from plumbline.contract.retraining import Lineage, PipelineParameter, PipelineStep, RetrainingFile
from plumbline.contract.retraining_jobs import EvaluateArgument, JobInput, JobOutput, PrepareArgument, job_folder
from plumbline.stacks.pipeline import filling
from plumbline.stacks.pipeline.filling import FILE, Placeholder, PlaceholderError, filled
from tests.unit.stacks.synthesis import ENVIRONMENTS, ROOT, Assembly, environment, full, pipeline_definition, step

OFFLINE = """
import runpy, socket, sys

def refused(*_: object, **__: object) -> None:
    raise AssertionError("the SDK opened a socket")

socket.socket.connect = refused
socket.getaddrinfo = refused
sys.argv = ["plumbline.stacks.pipeline", sys.argv[1]]
runpy.run_module("plumbline.stacks.pipeline", run_name="__main__")
"""
VALUES: dict[Placeholder, Any] = dict.fromkeys(Placeholder, "x")
"""A value for each place, whatever it says."""


def test_sdk_makes_the_committed_definition_without_network_or_credentials(tmp_path: Path) -> None:
    made = tmp_path / "definition.json"
    result = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(made)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
    )
    assert result.returncode == 0, result.stderr
    assert made.read_text() == FILE.read_text(), "run make pipeline"


def arguments(found: dict[str, Any]) -> dict[str, Any]:
    """Return a processing job's arguments by name."""
    texts = found["AppSpecification"]["ContainerArguments"]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def test_steps_and_parameters_are_the_contracts() -> None:
    definition = pipeline_definition(environment())
    assert [entry["Name"] for entry in definition["Parameters"]] == list(PipelineParameter)
    assert {entry["Type"] for entry in definition["Parameters"]} == {"String"}
    assert [entry["Name"] for entry in definition["Steps"]] == [
        PipelineStep.PREPARE,
        PipelineStep.TRAIN,
        PipelineStep.EVALUATE,
        PipelineStep.GATE,
    ]
    gate = definition["Steps"][3]["Arguments"]
    assert [entry["Name"] for entry in gate["IfSteps"]] == [PipelineStep.REGISTER]
    assert [entry["Name"] for entry in gate["ElseSteps"]] == [PipelineStep.REGISTER_REJECTED]


def test_gate_reads_the_verdict_of_the_evaluation() -> None:
    definition = pipeline_definition(environment())
    (condition,) = definition["Steps"][3]["Arguments"]["Conditions"]
    assert condition == {
        "Type": "Equals",
        "LeftValue": {
            "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.evaluation"}, "Path": "accepted"}
        },
        "RightValue": True,
    }
    assert definition["Steps"][2]["PropertyFiles"] == [
        {"PropertyFileName": "evaluation", "OutputName": "evaluation", "FilePath": RetrainingFile.EVALUATION}
    ]


def test_jobs_get_the_arguments_of_the_contract() -> None:
    prepare, evaluate = (arguments(step(full(), name)) for name in (PipelineStep.PREPARE, PipelineStep.EVALUATE))
    assert set(prepare) == set(PrepareArgument)
    assert set(evaluate) == set(EvaluateArgument)
    assert prepare[PrepareArgument.FRESH_FROM] == {"Get": "Parameters.FreshFrom"}
    # Half of retraining.minimum_fresh_rows.
    assert prepare[PrepareArgument.MINIMUM_ROWS] == "750"
    assert prepare[PrepareArgument.MERGED_S3_URI].endswith(">/merged")
    assert prepare[PrepareArgument.MISSING_VALUES] == '["NA", "-"]'
    assert evaluate[EvaluateArgument.SLICE_COLUMNS] == "sex,race"
    assert evaluate[EvaluateArgument.SEGMENT_COLUMN] == "sex"
    assert prepare[PrepareArgument.TIME_COLUMN] == evaluate[EvaluateArgument.TIME_COLUMN] == "asked_at"
    assert evaluate[EvaluateArgument.HOLDOUT_MARGIN] == "0.01"


def test_folders_are_those_that_the_jobs_know() -> None:
    prepare, evaluate = (step(full(), name) for name in (PipelineStep.PREPARE, PipelineStep.EVALUATE))
    inputs = {entry["InputName"]: entry["S3Input"]["LocalPath"] for entry in evaluate["ProcessingInputs"]}
    inputs |= {entry["InputName"]: entry["S3Input"]["LocalPath"] for entry in prepare["ProcessingInputs"]}
    outputs = {
        entry["OutputName"]: entry["S3Output"]["LocalPath"]
        for job in (prepare, evaluate)
        for entry in job["ProcessingOutputConfig"]["Outputs"]
    }
    assert inputs == {name: job_folder(name) for name in JobInput}
    assert outputs == {name: job_folder(name) for name in JobOutput}


def test_the_past_is_read_where_training_leaves_it_and_only_where_rows_have_times() -> None:
    (trained,) = [
        entry["S3Input"]["S3Uri"]["Std:Join"]
        for entry in step(full(), PipelineStep.EVALUATE)["ProcessingInputs"]
        if entry["InputName"] == JobInput.TRAINED
    ]
    models, *rest = trained["Values"]
    assert models == step(full(), PipelineStep.TRAIN)["OutputDataConfig"]["S3OutputPath"]
    assert (trained["On"], rest) == ("/", [{"Get": "Steps.Train.TrainingJobName"}, "output", "output.tar.gz"])

    without = step(environment(), PipelineStep.EVALUATE)
    assert JobInput.TRAINED not in {entry["InputName"] for entry in without["ProcessingInputs"]}
    assert arguments(without)[EvaluateArgument.TIME_COLUMN] == ""
    assert "time_column" not in step(environment(), PipelineStep.TRAIN)["HyperParameters"]


def test_outputs_of_an_execution_are_below_its_id_and_encrypted() -> None:
    for name in (PipelineStep.PREPARE, PipelineStep.EVALUATE):
        config = step(environment(), name)["ProcessingOutputConfig"]
        assert "DataKey" in config["KmsKeyId"]
        for output in config["Outputs"]:
            join = output["S3Output"]["S3Uri"]["Std:Join"]
            prefix, execution, folder = join["Values"]
            assert prefix.endswith(">/retraining")
            assert (join["On"], execution) == ("/", {"Get": "Execution.PipelineExecutionId"})
            assert folder == output["OutputName"]


def test_training_is_the_images_script_mode_on_three_channels() -> None:
    train = step(environment(), PipelineStep.TRAIN)
    assert train["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:3.0-5")
    assert {entry["ChannelName"] for entry in train["InputDataConfig"]} == {"train", "test", "fresh"}
    parameters = {key: json.loads(value) for key, value in train["HyperParameters"].items()}
    assert parameters["sagemaker_submit_directory"].endswith(".tar.gz")
    del parameters["sagemaker_submit_directory"]
    assert parameters == {
        "sagemaker_program": "train.py",
        "sagemaker_region": "us-east-1",
        "sagemaker_container_log_level": 20,
        "target_label": "income",
        "fresh_weight_fraction": 0.5,
    }
    parameters = step(full(), PipelineStep.TRAIN)["HyperParameters"]
    assert json.loads(parameters["segment_column"]) == "sex"
    assert json.loads(parameters["time_column"]) == "asked_at"
    assert json.loads(json.loads(parameters["missing_values"])) == ["NA", "-"]
    assert json.loads(json.loads(parameters["feature_types"])) == {"education-num": "id"}


@pytest.mark.parametrize(
    ("name", "status"), [("dev", "Approved"), ("staging", "Approved"), ("prod", "PendingManualApproval")]
)
def test_accepted_challenger_is_approved_as_configured_and_a_rejected_one_never(name: str, status: str) -> None:
    assert step(environment(name), PipelineStep.REGISTER)["ModelApprovalStatus"] == status
    assert step(environment(name), PipelineStep.REGISTER_REJECTED)["ModelApprovalStatus"] == "Rejected"


@pytest.mark.parametrize("name", [PipelineStep.REGISTER, PipelineStep.REGISTER_REJECTED])
def test_version_holds_model_metrics_baseline_and_lineage(name: PipelineStep) -> None:
    version = step(environment(), name)
    (container,) = version["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    live = environment().only("serving", "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    assert set(container["Environment"]) == set(live) - {"PLUMBLINE_BASELINE_S3_URI"}
    evaluation = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]["Std:Join"]["Values"]
    baseline = version["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]["Std:Join"]["Values"]
    assert [evaluation[1], baseline[1]] == ["evaluation.json", "baseline.json"]
    assert baseline[0] == {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['baseline'].S3Output.S3Uri"}
    assert set(version["CustomerMetadataProperties"]) == set(Lineage)


def test_every_job_has_the_prefix_that_roles_are_scoped_to() -> None:
    for name in ENVIRONMENTS:
        jobs = [
            step(environment(name), each) for each in (PipelineStep.PREPARE, PipelineStep.TRAIN, PipelineStep.EVALUATE)
        ]
        names = {job.get("ProcessingJobName") or job["TrainingJobName"] for job in jobs}
        assert names == {f"plumbline-{name}-retrain"}


def test_jobs_join_the_vpc_only_where_there_is_one() -> None:
    vpc = {"Subnets": ["subnet-0a000000", "subnet-0b000000"], "SecurityGroupIds": ["sg-0c000000"]}
    assert step(full(), PipelineStep.TRAIN)["VpcConfig"] == vpc
    for name in (PipelineStep.PREPARE, PipelineStep.EVALUATE):
        assert step(full(), name)["NetworkConfig"] == {"VpcConfig": vpc}
        assert "NetworkConfig" not in step(environment(), name)
    assert "VpcConfig" not in step(environment(), PipelineStep.TRAIN)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        (PipelineStep.PREPARE, "CreateProcessingJob"),
        (PipelineStep.EVALUATE, "CreateProcessingJob"),
        (PipelineStep.TRAIN, "CreateTrainingJob"),
        (PipelineStep.REGISTER, "CreateModelPackage"),
        (PipelineStep.REGISTER_REJECTED, "CreateModelPackage"),
    ],
)
@pytest.mark.parametrize("assembly", [environment, full], ids=["dev", "full"])
def test_requests_are_those_of_sagemakers_api(name: PipelineStep, operation: str, assembly: Any) -> None:
    request = resolved(step(assembly(), name))
    shape = get_session().get_service_model("sagemaker").operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


def resolved(node: Any) -> Any:
    """Return a request with a text for each expression, which is what the service makes of them."""
    if isinstance(node, dict):
        if set(node) in ({"Get"}, {"Std:Join"}):
            return "s3://bucket/key"
        return {key: resolved(value) for key, value in node.items()}
    if isinstance(node, list):
        return [resolved(value) for value in node]
    return node


# Filling


def test_no_placeholder_is_left_and_each_has_a_place() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", FILE.read_text())) == {name.value for name in Placeholder}
    for assembly in (environment(), full()):
        assert not re.search(r"\$\{\w+\}", json.dumps(pipeline_definition(assembly)).replace("${AWS", ""))


@pytest.mark.parametrize("assembly", [environment, full])
def test_numbers_stay_numbers(assembly: Any) -> None:
    found: Assembly = assembly()
    prepare = step(found, PipelineStep.PREPARE)
    assert prepare["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert prepare["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 20


def test_label_with_quotes_stays_one_hyperparameter() -> None:
    label = 'say "yes"'
    train = filled(VALUES | {Placeholder.TARGET_LABEL: label}, None)["Steps"][1]["Arguments"]
    assert json.loads(train["HyperParameters"]["target_label"]) == label


def test_fails_when_a_value_is_missing() -> None:
    values = dict(VALUES)
    del values[Placeholder.HOLDOUT_MARGIN]
    with pytest.raises(PlaceholderError, match=r"got \['HoldoutMargin'\] without a value and \[\] without a place"):
        filled(values, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"Steps": []}', r"got \[\] without a value and \['Approval"),
        ('{"a": "${Margin} of ${Key}"}', "without a place"),
    ],
)
def test_fails_when_the_file_lost_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    file = tmp_path / "definition.json"
    file.write_text(text)
    monkeypatch.setattr(filling, "FILE", file)
    with pytest.raises(PlaceholderError, match=said):
        filled(VALUES, None)


def test_fails_when_a_placeholder_is_part_of_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "definition.json"
    file.write_text('{"a": "at least ${HoldoutMargin}"}')
    monkeypatch.setattr(filling, "FILE", file)
    with pytest.raises(PlaceholderError, match=r"must hold a placeholder alone or in quotes, got 'at least"):
        filled({Placeholder.HOLDOUT_MARGIN: "0.01"}, None)

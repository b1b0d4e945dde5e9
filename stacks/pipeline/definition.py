"""Make the pipeline's definition with the SageMaker Python SDK.

The SDK is a development dependency: `make pipeline` writes the definition; the app reads the committed file and imports
neither the SDK nor this module; a test makes the definition again and compares.
"""

import json
import warnings
from types import SimpleNamespace
from typing import Any

import boto3
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.model_registry import create_model_package_from_containers, get_model_package_args
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, Tag
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer

from plumbline.contract.names import BASELINE_FILE, resource_prefix
from plumbline.contract.retraining import Lineage, PipelineParameter, PipelineStep, RetrainingFile
from plumbline.contract.retraining_jobs import (
    JOB_MODULE,
    EvaluateArgument,
    JobCommand,
    JobInput,
    JobOutput,
    PrepareArgument,
    job_folder,
)
from plumbline.contract.training import CHANNEL_FRESH, CHANNEL_TEST, CHANNEL_TRAIN
from plumbline.stacks.pipeline.filling import OPTIONAL_HYPERPARAMETERS, Placeholder

TRAINING_VOLUME_GB = 30
LOG_LEVEL_INFO = 20
CONTENT_TYPES = ["text/csv", "application/json"]
JSON = "application/json"
NO_ROLE = "arn:aws:iam::000000000000:role/none"
NO_SETTINGS = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
"""The developer's own SDK configuration stays out of the definition, and the SDK sends no telemetry."""


class PlaceholderVariable(PipelineVariable):  # type: ignore[misc] # the SDK has no types
    """A value that synthesis fills in: to the SDK a variable of unknown value."""

    def __init__(self, placeholder: Placeholder) -> None:
        self._placeholder = placeholder

    @property
    def expr(self) -> str:
        """The placeholder, as the definition has it."""
        return self._placeholder.text

    @property
    def _referenced_steps(self) -> list[Any]:
        return []


class ExplicitTrainingStep(TrainingStep):  # type: ignore[misc]
    """Training step with the name, role and time limit that ModelTrainer does not take.

    ModelTrainer drops the job's name in a pipeline session, where processing steps keep theirs under
    `use_custom_job_prefix`; it looks the role up in IAM, and takes the time limit as a number only.
    """

    @property
    def arguments(self) -> dict[str, Any]:
        """The CreateTrainingJob request."""
        request: dict[str, Any] = super().arguments
        return request | {
            "TrainingJobName": PlaceholderVariable(Placeholder.JOB_PREFIX),
            "RoleArn": PlaceholderVariable(Placeholder.TRAINING_ROLE),
            "StoppingCondition": {"MaxRuntimeInSeconds": PlaceholderVariable(Placeholder.TRAINING_MAX_RUNTIME_SECONDS)},
        }


def definition() -> dict[str, Any]:
    """Return the pipeline's definition, with placeholders."""
    with warnings.catch_warnings():
        # The SDK warns at each step that a pipeline session starts no job.
        warnings.simplefilter("ignore")
        return _Definition().build()


class _Definition:
    def __init__(self) -> None:
        credentials = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        self._session = PipelineSession(
            boto_session=boto3.Session(**credentials),
            default_bucket="none",
            sagemaker_config=NO_SETTINGS,
        )
        self._parameters = {name: ParameterString(name=name.value) for name in PipelineParameter}

    def build(self) -> dict[str, Any]:
        prepare = self._prepare()
        train = self._train(prepare)
        evaluate, verdict = self._evaluate(prepare, train)
        approval = PlaceholderVariable(Placeholder.APPROVAL_STATUS)
        gate = ConditionStep(
            name=PipelineStep.GATE.value,
            conditions=[
                ConditionEquals(
                    left=JsonGet(step_name=evaluate.name, property_file=verdict, json_path="accepted"), right=True
                )
            ],
            if_steps=[self._register(PipelineStep.REGISTER, approval, train, evaluate)],
            else_steps=[self._register(PipelineStep.REGISTER_REJECTED, "Rejected", train, evaluate)],
        )
        pipeline = Pipeline(
            # Not part of the definition: CloudFormation names the pipeline.
            name=resource_prefix("any"),
            parameters=list(self._parameters.values()),
            steps=[prepare, train, evaluate, gate],
            sagemaker_session=self._session,
            # SageMaker Experiments would need further permissions, and the registry keeps the lineage.
            pipeline_experiment_config=None,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=True),
        )
        made: dict[str, Any] = json.loads(pipeline.definition())
        return {key: value for key, value in made.items() if value is not None}

    def _prepare(self) -> ProcessingStep:
        arguments = {
            PrepareArgument.TARGET_LABEL: PlaceholderVariable(Placeholder.TARGET_LABEL),
            PrepareArgument.ENDPOINT_NAME: PlaceholderVariable(Placeholder.ENDPOINT),
            PrepareArgument.MERGED_S3_URI: PlaceholderVariable(Placeholder.MERGED),
            PrepareArgument.FRESH_FROM: self._parameters[PipelineParameter.FRESH_FROM],
            PrepareArgument.FRESH_UNTIL: self._parameters[PipelineParameter.FRESH_UNTIL],
            PrepareArgument.MINIMUM_ROWS: PlaceholderVariable(Placeholder.MINIMUM_FRESH_ROWS),
            PrepareArgument.MISSING_VALUES: PlaceholderVariable(Placeholder.MISSING_VALUES),
            PrepareArgument.TIME_COLUMN: PlaceholderVariable(Placeholder.TIME_COLUMN),
        }
        ran = self._processor(JobCommand.PREPARE).run(
            inputs=[
                _input(JobInput.TRAIN, PlaceholderVariable(Placeholder.TRAIN_DATA)),
                _input(JobInput.TEST, PlaceholderVariable(Placeholder.TEST_DATA)),
            ],
            outputs=[_output(name) for name in (JobOutput.FRESH, JobOutput.HOLDOUT, JobOutput.PREPARED)],
            arguments=_texts(arguments),
            job_name=Placeholder.JOB_PREFIX.text,
        )
        return ProcessingStep(name=PipelineStep.PREPARE.value, step_args=ran)

    def _train(self, prepare: ProcessingStep) -> TrainingStep:
        trainer = ModelTrainer(
            sagemaker_session=self._session,
            # Not used: ExplicitTrainingStep says what they are.
            role=NO_ROLE,
            base_job_name=PipelineStep.TRAIN.value,
            training_image=PlaceholderVariable(Placeholder.XGBOOST_IMAGE),
            compute=Compute(
                instance_type=PlaceholderVariable(Placeholder.TRAINING_INSTANCE_TYPE),
                instance_count=1,
                volume_size_in_gb=TRAINING_VOLUME_GB,
            ),
            output_data_config=OutputDataConfig(
                s3_output_path=PlaceholderVariable(Placeholder.MODELS), kms_key_id=PlaceholderVariable(Placeholder.KEY)
            ),
            hyperparameters=_hyperparameters(),
            tags=[Tag(key="plumbline:environment", value=Placeholder.ENVIRONMENT.text)],
        )
        ran = trainer.train(
            input_data_config=[
                InputData(channel_name=name, data_source=uri, content_type="text/csv")
                for name, uri in (
                    (CHANNEL_TRAIN, PlaceholderVariable(Placeholder.TRAIN_DATA)),
                    (CHANNEL_TEST, PlaceholderVariable(Placeholder.TEST_DATA)),
                    (CHANNEL_FRESH, _uploaded(prepare, JobOutput.FRESH)),
                )
            ]
        )
        return ExplicitTrainingStep(name=PipelineStep.TRAIN.value, step_args=ran)

    def _evaluate(self, prepare: ProcessingStep, train: TrainingStep) -> tuple[ProcessingStep, PropertyFile]:
        arguments = {
            EvaluateArgument.TARGET_LABEL: PlaceholderVariable(Placeholder.TARGET_LABEL),
            EvaluateArgument.HOLDOUT_MARGIN: PlaceholderVariable(Placeholder.HOLDOUT_MARGIN),
            EvaluateArgument.TEST_MARGIN: PlaceholderVariable(Placeholder.TEST_MARGIN),
            EvaluateArgument.SLICE_MARGIN: PlaceholderVariable(Placeholder.SLICE_MARGIN),
            EvaluateArgument.MINIMUM_SLICE_ROWS: PlaceholderVariable(Placeholder.MINIMUM_SLICE_ROWS),
            EvaluateArgument.SLICE_COLUMNS: PlaceholderVariable(Placeholder.SLICE_COLUMNS),
            EvaluateArgument.SEGMENT_COLUMN: PlaceholderVariable(Placeholder.SEGMENT_COLUMN),
            EvaluateArgument.TIME_COLUMN: PlaceholderVariable(Placeholder.TIME_COLUMN),
        }
        verdict = PropertyFile(
            name=JobOutput.EVALUATION.value,
            output_name=JobOutput.EVALUATION.value,
            path=RetrainingFile.EVALUATION.value,
        )
        ran = self._processor(JobCommand.EVALUATE).run(
            inputs=[
                _input(JobInput.CHALLENGER, train.properties.ModelArtifacts.S3ModelArtifacts),
                _input(JobInput.CHAMPION, self._parameters[PipelineParameter.CHAMPION_ARTIFACT]),
                _input(JobInput.HOLDOUT, _uploaded(prepare, JobOutput.HOLDOUT)),
                _input(JobInput.TEST, PlaceholderVariable(Placeholder.TEST_DATA)),
                _input(JobInput.TRAINED, _training_output(train)),
            ],
            outputs=[_output(name) for name in (JobOutput.EVALUATION, JobOutput.BASELINE)],
            arguments=_texts(arguments),
            job_name=Placeholder.JOB_PREFIX.text,
        )
        return ProcessingStep(name=PipelineStep.EVALUATE.value, step_args=ran, property_files=[verdict]), verdict

    def _processor(self, command: JobCommand) -> Processor:
        return Processor(
            sagemaker_session=self._session,
            role=PlaceholderVariable(Placeholder.JOB_ROLE),
            image_uri=PlaceholderVariable(Placeholder.DRIFT_IMAGE),
            entrypoint=["python", "-m", JOB_MODULE, command.value],
            instance_count=1,
            instance_type=PlaceholderVariable(Placeholder.INSTANCE_TYPE),
            volume_size_in_gb=PlaceholderVariable(Placeholder.VOLUME_GB),
            max_runtime_in_seconds=PlaceholderVariable(Placeholder.MAX_RUNTIME_SECONDS),
            output_kms_key=PlaceholderVariable(Placeholder.KEY),
            env={"AWS_DEFAULT_REGION": PlaceholderVariable(Placeholder.REGION)},
            tags=[{"Key": "plumbline:environment", "Value": Placeholder.ENVIRONMENT.text}],
        )

    def _register(
        self, step: PipelineStep, status: str | PlaceholderVariable, train: TrainingStep, evaluate: ProcessingStep
    ) -> ModelStep:
        """Return the step by the SDK's lower-level function: ModelBuilder would unpack and build the model."""
        container = {
            "Image": PlaceholderVariable(Placeholder.XGBOOST_IMAGE),
            "ModelDataUrl": train.properties.ModelArtifacts.S3ModelArtifacts,
            "Environment": PlaceholderVariable(Placeholder.SERVING_ENVIRONMENT),
        }
        arguments = get_model_package_args(
            content_types=CONTENT_TYPES,
            response_types=CONTENT_TYPES,
            model_package_group_name=PlaceholderVariable(Placeholder.MODEL_PACKAGE_GROUP),
            container_def_list=[container],
            approval_status=status,
            model_metrics=ModelMetrics(
                model_statistics=_file(evaluate, JobOutput.EVALUATION, RetrainingFile.EVALUATION)
            ),
            drift_check_baselines=DriftCheckBaselines(
                model_data_statistics=_file(evaluate, JobOutput.BASELINE, BASELINE_FILE)
            ),
            customer_metadata_properties={name.value: value for name, value in self._lineage().items()},
        )
        self._session.init_model_step_arguments(SimpleNamespace(sagemaker_session=self._session))
        create_model_package_from_containers(self._session, **arguments)
        made, self._session.context = self._session.context, None
        return ModelStep(name=step.value, step_args=made)

    def _lineage(self) -> dict[Lineage, Any]:
        return {
            Lineage.CAUSE: self._parameters[PipelineParameter.CAUSE],
            Lineage.CHAMPION: self._parameters[PipelineParameter.CHAMPION_ARTIFACT],
            Lineage.TRAIN_DATA: PlaceholderVariable(Placeholder.TRAIN_DATA),
            Lineage.TEST_DATA: PlaceholderVariable(Placeholder.TEST_DATA),
            Lineage.FRESH_FROM: self._parameters[PipelineParameter.FRESH_FROM],
            Lineage.FRESH_UNTIL: self._parameters[PipelineParameter.FRESH_UNTIL],
            Lineage.CODE: PlaceholderVariable(Placeholder.SOURCE_ARCHIVE),
            Lineage.COMMIT: PlaceholderVariable(Placeholder.COMMIT),
            Lineage.EXECUTION: ExecutionVariables.PIPELINE_EXECUTION_ARN,
        }


def _hyperparameters() -> dict[str, str]:
    """Return the hyperparameters as the script-mode toolkit reads them: each value is JSON."""
    values = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": Placeholder.SOURCE_ARCHIVE.text,
        "sagemaker_region": Placeholder.REGION.text,
        "sagemaker_container_log_level": LOG_LEVEL_INFO,
        "target_label": Placeholder.TARGET_LABEL.text,
    } | {name: placeholder.text for name, placeholder in OPTIONAL_HYPERPARAMETERS.items()}
    # A number has no quotes.
    return {name: json.dumps(value) for name, value in values.items()} | {
        "fresh_weight_fraction": Placeholder.FRESH_WEIGHT_FRACTION.text
    }


def _texts(arguments: dict[Any, Any]) -> list[Any]:
    return [part for name, value in arguments.items() for part in (name.value, value)]


def _input(name: JobInput, uri: Any) -> ProcessingInput:
    return ProcessingInput(
        input_name=name.value,
        s3_input=ProcessingS3Input(
            s3_uri=uri, local_path=job_folder(name), s3_data_type="S3Prefix", s3_input_mode="File"
        ),
    )


def _output(name: JobOutput) -> ProcessingOutput:
    folder = [PlaceholderVariable(Placeholder.RETRAINING), ExecutionVariables.PIPELINE_EXECUTION_ID, name.value]
    return ProcessingOutput(
        output_name=name.value,
        s3_output=ProcessingS3Output(
            s3_uri=Join(on="/", values=folder), local_path=job_folder(name), s3_upload_mode="EndOfJob"
        ),
    )


def _training_output(train: TrainingStep) -> Any:
    """Return where SageMaker uploads what a training job left beside the model: no property of the job names it."""
    folder = [PlaceholderVariable(Placeholder.MODELS), train.properties.TrainingJobName]
    return Join(on="/", values=[*folder, "output", "output.tar.gz"])


def _uploaded(step: ProcessingStep, name: JobOutput) -> Any:
    return step.properties.ProcessingOutputConfig.Outputs[name.value].S3Output.S3Uri


def _file(step: ProcessingStep, folder: JobOutput, name: str) -> MetricsSource:
    return MetricsSource(content_type=JSON, s3_uri=Join(on="/", values=[_uploaded(step, folder), str(name)]))


def text() -> str:
    """Return the content of definition.json."""
    return json.dumps(definition(), indent=1) + "\n"

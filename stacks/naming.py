"""Physical names of one environment; alarm and job prefixes come from the contract."""

from dataclasses import dataclass

from plumbline.contract.names import Prefix, ground_truth_prefix, resource_prefix, schedule_prefix, training_job_prefix
from plumbline.contract.retraining import model_package_group, pipeline_name, promoted_prefix, retraining_job_prefix


@dataclass(frozen=True)
class Naming:
    """Physical names and key prefixes that another process must know."""

    environment: str

    @property
    def prefix(self) -> str:
        """Prefix of every physical name."""
        return resource_prefix(self.environment)

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.prefix

    @property
    def schedule(self) -> str:
        """The monitoring schedule's name, and the prefix of the jobs that engine `scheduler` starts."""
        return f"{self.prefix}-monitor"

    @property
    def training_jobs(self) -> str:
        """Prefix of the training jobs that are started by hand."""
        return training_job_prefix(self.environment)

    @property
    def retraining_jobs(self) -> str:
        """Prefix of the retraining pipeline's jobs."""
        return retraining_job_prefix(self.environment)

    @property
    def pipeline(self) -> str:
        """The retraining pipeline's name."""
        return pipeline_name(self.environment)

    @property
    def model_packages(self) -> str:
        """Name of the model package group whose versions are the challengers."""
        return model_package_group(self.environment)

    @property
    def promoted(self) -> str:
        """Prefix of the Models and EndpointConfigs that the promotion function makes."""
        return promoted_prefix(self.environment)

    @property
    def dashboard(self) -> str:
        """The dashboard's name."""
        return self.prefix

    @property
    def capture_prefix(self) -> str:
        """Key prefix of this endpoint's capture files."""
        return f"{Prefix.CAPTURE}/{self.endpoint}"

    @property
    def ground_truth_prefix(self) -> str:
        """Key prefix of this endpoint's labels, in the capture bucket."""
        return ground_truth_prefix(self.endpoint)

    @property
    def merged_prefix(self) -> str:
        """Key prefix of this endpoint's captures joined with labels."""
        return f"{Prefix.MERGED}/{self.endpoint}"

    @property
    def report_prefix(self) -> str:
        """Key prefix of this schedule's reports."""
        return f"{Prefix.REPORTS}/{schedule_prefix(self.endpoint, self.schedule)}"

    def stack(self, part: str) -> str:
        """Return a stack's name, for example plumbline-dev-serving."""
        return f"{self.prefix}-{part}"

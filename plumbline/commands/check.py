"""`plumbline check`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plumbline.commands import environment
from plumbline.exit_codes import EXIT_FINISHED, EXIT_NEGATIVE, CommandError

if TYPE_CHECKING:
    from plumbline.stacks.config.environment import EnvironmentConfig

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Where the CDK keeps the version of an account's bootstrap stack, under its default qualifier."""


class Finding(NamedTuple):
    """What one call found; `fine` is False where something is missing, and where nothing shows that it is there."""

    text: str
    fine: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--environment", metavar="NAME",
        help="a file's name below environments/, or a path that ends in .toml (default: dev)",
    )  # fmt: skip
    parser.add_argument(
        "--engine", metavar="NAME", help="the engine in place of the file's, as -c engine=NAME does for cdk"
    )
    parser.add_argument(
        "--aws", action="store_true", help="also look, with read-only calls, at the account that the credentials are of"
    )
    environment.add_aws_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check the file, say which accounts can deploy it, and look at the account where that is wanted."""
    from plumbline.stacks.config.errors import EnvironmentFileError
    from plumbline.stacks.config.file import load_environment

    try:
        config = load_environment(arguments.environment, ROOT, arguments.engine)
    except EnvironmentFileError as error:
        raise CommandError(str(error)) from error
    print(f"environment file: valid; {config.name} in {config.region}, {_windows(config)}")
    print(f"engine: {config.monitor.engine.sentence}")
    if not arguments.aws:
        print("account: not looked at; --aws does, with read-only calls")
        return EXIT_FINISHED
    arguments.region = arguments.region or config.region
    with environment.aws_errors("these calls need sts:GetCallerIdentity, ssm:GetParameter and, for the engine "
                                "model_monitor, sagemaker:ListMonitoringSchedules"):  # fmt: skip
        findings = list(_findings(config, arguments))
    for finding in findings:
        print(finding.text)
    return EXIT_FINISHED if all(finding.fine for finding in findings) else EXIT_NEGATIVE


def _windows(config: "EnvironmentConfig") -> str:
    hours = config.monitor.interval_hours
    return f"a window of {hours} hour{'s' * (hours > 1)}, {config.monitor.expression}"


def _findings(config: "EnvironmentConfig", arguments: argparse.Namespace) -> Iterator[Finding]:
    from plumbline.stacks.config.schedule import Engine

    account = environment.client("sts", arguments).get_caller_identity()["Account"]
    if config.account in {None, account}:
        yield Finding(f"account: {account}", fine=True)
    else:
        yield Finding(f"account: {account}, but the file is for {config.account}; take its credentials", fine=False)
    yield _bootstrap(environment.client("ssm", arguments), f"aws://{account}/{arguments.region}")
    if config.monitor.engine is Engine.MODEL_MONITOR:
        yield _model_monitor(environment.client("sagemaker", arguments))


def _bootstrap(ssm: Any, place: str) -> Finding:
    try:
        version = ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return Finding(f"CDK bootstrap: none; run npx cdk bootstrap {place}", fine=False)
    return Finding(f"CDK bootstrap: version {version}", fine=True)


def _model_monitor(sagemaker: Any) -> Finding:
    """Return whether the account has a monitoring schedule: no call of AWS says whether it may make its first one."""
    if sagemaker.list_monitoring_schedules(MaxResults=1)["MonitoringScheduleSummaries"]:
        return Finding("Model Monitor: in use here, so that the engine model_monitor can be deployed", fine=True)
    return Finding(
        "Model Monitor: nothing shows that the account can use it, for it has no monitoring schedule in this region; "
        "pass -c engine=scheduler, unless you know that the account used it before AWS closed it",
        fine=False,
    )

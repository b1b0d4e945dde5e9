"""The commands of the program: arguments, and where the work is done.

Each module describes its arguments without loading what it needs to do its work, so that help is instant.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from plumbline.commands import (
    accept,
    baseline,
    champion,
    check,
    demo,
    labels,
    monitor,
    promotion,
    report,
    retrain,
    traffic,
)


@dataclass(frozen=True)
class CommandSpec:
    """One command: `summary` is shown in the program's help, `description` in its own."""

    summary: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = {
    "baseline": CommandSpec(
        "learn a baseline from training data",
        "Learn a baseline from CSV files with a header row, and write it as a folder that monitor and the container "
        "read.",
        baseline.add_arguments,
        baseline.run,
    ),
    "monitor": CommandSpec(
        "judge captured traffic against a baseline or CSV files",
        "Judge capture files against a baseline, or against the training data itself: exactly what the container runs, "
        "on plain files. Without times, all records below the folder are the window.",
        monitor.add_arguments,
        monitor.run,
    ),
    "accept": CommandSpec(
        "make windows the reference: the new normal",
        "Judge windows against those of a stated time in place of the training data, from their end on. The record has "
        "who, when and why. What was accepted makes no alarm and stays in every report, as what differs from the "
        "training data. Accuracy is judged as before: harm is not accepted. A new baseline ends it.",
        accept.add_arguments,
        accept.run,
    ),
    "report": CommandSpec(
        "draw a page from the drift reports below a folder",
        "Read the drift_report.json files below a folder, at any depth, and write one self-contained report.html and "
        "the plots as PNG.",
        report.add_arguments,
        report.run,
    ),
    "traffic": CommandSpec(
        "replay a CSV file against an endpoint",
        "Send the rows of a CSV file to an endpoint at a constant rate, hour after hour. Ctrl-C stops cleanly. "
        "Credentials and region are found as every AWS program finds them.",
        traffic.add_arguments,
        traffic.run,
    ),
    "labels": CommandSpec(
        "upload the labels of captured requests",
        "Write labels in SageMaker's ground-truth format to where the monitor joins them with captured requests. id is "
        "the InferenceId that a request was sent with, else the event id of its capture record. Rows with one id are "
        "the rows of one request: row is their number, counted from 0; without it they are taken in their order. time "
        "is when the label was known, ISO 8601. The same labels make the same files: they can be uploaded twice.",
        labels.add_arguments,
        labels.run,
    ),
    "check": CommandSpec(
        "check an environment file before the first deployment",
        "Check an environment file, and say which accounts can deploy its monitoring engine: before the first resource "
        "is made, without credentials and network. With --aws also look at the account that the credentials are of.",
        check.add_arguments,
        check.run,
    ),
    "champion": CommandSpec(
        "show the champion and the newest versions",
        "Show the model that serves and since when, its baseline, the models before it, and the newest versions of the "
        "registry with their accuracies.",
        champion.add_arguments,
        champion.run,
    ),
    "promote": CommandSpec(
        "let a version of the registry serve",
        "Approve a version and move the endpoint to it, guarded by the rollback alarms; its baseline goes with it. A "
        "rejected version is refused. While the endpoint changes, the request is kept until it has.",
        promotion.add_promote_arguments,
        promotion.promote,
    ),
    "rollback": CommandSpec(
        "let the model before serve again",
        "Move the endpoint back to the model that served before, guarded as any promotion is; its baseline goes with "
        "it, and the version that is left is rejected. During a promotion the version that is being promoted is left.",
        promotion.add_rollback_arguments,
        promotion.rollback,
    ),
    "retrain": CommandSpec(
        "start a retraining, or stop the loop",
        "Request a retraining by hand, or turn the switch that stops the loop. Prints the decision and its reason.",
        retrain.add_arguments,
        retrain.run,
    ),
    "demo": CommandSpec(
        "play the whole loop on this computer",
        "Start an embedded AWS, deploy the app to it, train, serve, let the traffic drift, and show how it is caught "
        "and retrained. Needs no AWS account and no Docker.",
        demo.add_arguments,
        demo.run,
    ),
}

"""`plumbline champion`: the model that serves, those that served, and the registry's newest versions."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plumbline.commands import environment
from plumbline.contract.champion import Champion, ChampionHistory
from plumbline.contract.evaluation import Comparison, Evaluation
from plumbline.contract.retraining import Lineage
from plumbline.contract.s3 import split_s3_uri
from plumbline.exit_codes import EXIT_FINISHED

if TYPE_CHECKING:
    from plumbline.environment.deployed import Deployed

NEWEST = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    environment.add_arguments(parser)
    parser.add_argument(
        "--versions", type=int, default=NEWEST, metavar="N", choices=range(1, 101),
        help="how many of the registry's newest versions to show, 1 to 100 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the model that serves, those that served, and the registry's newest versions."""
    with environment.deployed(arguments) as deployed:
        history, packages = deployed.history(), deployed.versions(arguments.versions)
        document = _overview(history, packages, _evaluations(deployed, packages))
    if arguments.json:
        print(json.dumps(document, indent=1))
    else:
        print(*_overview_lines(document), sep="\n")
    return EXIT_FINISHED


def _evaluations(deployed: "Deployed", packages: list[dict[str, Any]]) -> dict[str, str]:
    """Return the texts that can be read; a version without one is shown without accuracies."""
    from botocore.exceptions import ClientError

    client, texts = deployed.connect("s3"), {}
    for uri in filter(None, map(_evaluation_uri, packages)):
        bucket, key = split_s3_uri(uri)
        try:
            texts[uri] = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except ClientError:
            continue
    return texts


def _overview(
    history: ChampionHistory, packages: list[dict[str, Any]], evaluations: Mapping[str, str]
) -> dict[str, Any]:
    """Return the document that ``--json`` prints.

    Parameters
    ----------
    packages
        DescribeModelPackage of the newest versions, newest first.
    evaluations
        Texts by URI; a version whose evaluation is missing has no accuracies.
    """
    until = [*(each.changing_from for each in history.champions[1:]), history.changing_from]
    served = [_champion(each, left) for each, left in zip(history.champions, until, strict=True)]
    return {
        "serves": served[-1],
        "served": served[-2::-1],
        "versions": [_version(package, history.live, evaluations) for package in packages],
    }


def _evaluation_uri(package: Mapping[str, Any]) -> str | None:
    """Return where the evaluation of a version is; None: the registry names none."""
    metrics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    uri = metrics.get("S3Uri")
    return uri if isinstance(uri, str) else None


def _overview_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the document's lines for people."""
    live = document["serves"]
    yield f"serves: {_named(live)}, {_since(live)}"
    if live["until"]:
        yield f"  the endpoint is changing since {live['until']}"
    yield f"  artifact: {live['artifact']}"
    yield f"  baseline: {live['baseline']}"
    yield f"  cause: {live['cause'] or 'unknown'}"
    for earlier in document["served"]:
        yield f"served: {_named(earlier)}, {_since(earlier)} until {earlier['until']}"
    if not document["versions"]:
        yield "versions: none in the registry yet"
    for version in document["versions"]:
        yield f"version {version['version']}: {_standing(version)}; {_accuracies(version)}"
        yield f"  cause: {version['cause']}"


def _champion(champion: Champion, until: str | None) -> dict[str, Any]:
    number = (champion.model_package or "").rpartition("/")[2]
    return {
        "version": int(number) if number else None,
        "artifact": champion.artifact,
        "baseline": champion.baseline,
        "model_package": champion.model_package,
        "live_from": champion.live_from,
        "until": until,
        "cause": champion.cause,
    }


def _version(package: Mapping[str, Any], live: Champion, evaluations: Mapping[str, str]) -> dict[str, Any]:
    text = evaluations.get(_evaluation_uri(package) or "")
    evaluation = None if text is None else Evaluation.from_json(text)
    return {
        "version": package["ModelPackageVersion"],
        "approval": package.get("ModelApprovalStatus"),
        "why": package.get("ApprovalDescription", ""),
        "serves": package["ModelPackageArn"] == live.model_package,
        "cause": package.get("CustomerMetadataProperties", {}).get(Lineage.CAUSE.value, "unknown"),
        "holdout": None if evaluation is None else _compared(evaluation.holdout),
        "test": None if evaluation is None else _compared(evaluation.test),
    }


def _compared(comparison: Comparison) -> dict[str, float | None]:
    return {"challenger": comparison.challenger, "champion": comparison.champion}


def _named(champion: Mapping[str, Any]) -> str:
    return f"version {champion['version']}" if champion["version"] else "the model of the environment file"


def _since(champion: Mapping[str, Any]) -> str:
    return f"since {champion['live_from']}" if champion["live_from"] else "from the beginning"


def _standing(version: Mapping[str, Any]) -> str:
    states = {"PendingManualApproval": "waits for approval", "Approved": "approved", "Rejected": "rejected"}
    standing = "serves" if version["serves"] else states.get(version["approval"], str(version["approval"]))
    return f"{standing} ({version['why']})" if version["why"] else standing


def _accuracies(version: Mapping[str, Any]) -> str:
    if version["holdout"] is None:
        return "its evaluation could not be read"
    return ", ".join(
        f"accuracy on {name} {_share(version[key]['challenger'])}, its champion's {_share(version[key]['champion'])}"
        for name, key in (("new rows", "holdout"), ("the test set", "test"))
    )


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"

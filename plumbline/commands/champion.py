"""`plumbline champion`."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from contract.s3 import split_s3_uri
from plumbline.commands import environment
from plumbline.exit_codes import EXIT_FINISHED

if TYPE_CHECKING:
    from plumbline.deployed import Deployed

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
    """Print what serves, what served, and what waits."""
    from plumbline.champions import overview, overview_lines

    with environment.deployed(arguments) as deployed:
        history, packages = deployed.history(), deployed.versions(arguments.versions)
        document = overview(history, packages, _evaluations(deployed, packages))
    if arguments.json:
        print(json.dumps(document, indent=1))
    else:
        print(*overview_lines(document), sep="\n")
    return EXIT_FINISHED


def _evaluations(deployed: "Deployed", packages: list[dict[str, Any]]) -> dict[str, str]:
    """Return the texts that can be read; a version without one is shown without accuracies."""
    from botocore.exceptions import ClientError

    from plumbline.champions import evaluation_uri

    client, texts = deployed.connect("s3"), {}
    for uri in filter(None, map(evaluation_uri, packages)):
        bucket, key = split_s3_uri(uri)
        try:
            texts[uri] = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except ClientError:
            continue
    return texts

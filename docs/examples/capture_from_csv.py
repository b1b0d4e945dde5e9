"""Turn a CSV file of predicted rows into a data capture file, as an endpoint would have written it.

`python capture_from_csv.py ROWS DIR --leave-out TARGET`: ROWS has a header row, the features, and a column
`probability`; each row becomes one request, at the time that --time says.
"""

import argparse
import csv
import json
from pathlib import Path

PROBABILITY = "probability"


def record(number: int, row: dict[str, str], time: str) -> dict[str, object]:
    """Return one capture record; `row` holds the features and the probability."""
    features = {name: cell for name, cell in row.items() if name != PROBABILITY}
    request = {"observedContentType": "application/json", "mode": "INPUT", "encoding": "JSON"}
    response = {"observedContentType": "text/csv", "mode": "OUTPUT", "encoding": "CSV"}
    return {
        "captureData": {
            "endpointInput": request | {"data": json.dumps([features])},
            "endpointOutput": response | {"data": row[PROBABILITY]},
        },
        "eventMetadata": {"eventId": f"row-{number}", "inferenceTime": time},
        "eventVersion": "0",
    }


def main() -> None:
    """Write DIR/capture.jsonl and say how many records it holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leave-out", action="append", default=[], metavar="COLUMN", help="such as the target")
    parser.add_argument("--time", default="2026-01-31T13:30:00Z")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with arguments.rows.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, skipinitialspace=True))
    for row in rows:
        for column in arguments.leave_out:
            del row[column]
    lines = [json.dumps(record(number, row, arguments.time)) for number, row in enumerate(rows)]
    (arguments.folder / "capture.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} records: {arguments.folder / 'capture.jsonl'}")


if __name__ == "__main__":
    main()

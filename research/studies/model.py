"""Our model as the studies train it, and its answers as an endpoint's data capture has them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xgboost
from dataset import LabelledTable
from numpy.typing import NDArray
from train import encode_labels, fit, learn_preprocessor, parse_hyperparameters

from plumbline.data import choices as traffic_choices
from plumbline.data.rows import LabelledRows, Row
from plumbline.drift.preprocessing import Preprocessor
from plumbline.traffic import payload

TARGET = "label"


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """XGBoost with the parameters of the reference implementation, which sees the features `seen`."""

    seen: tuple[str, ...]
    preprocessor: Preprocessor
    booster: xgboost.Booster

    @classmethod
    def of(cls, rows: LabelledRows, seed: int, seen: Sequence[str] | None = None) -> Self:
        """Train on the rows; `seen` are the features to train on, all of them if None."""
        names = tuple(seen or rows.header)
        train = LabelledTable(names, _restricted(rows, names), rows.labels)
        preprocessor = learn_preprocessor(train, TARGET)
        settings = parse_hyperparameters(["--target_label", TARGET, "--seed", str(seed), "--nthread", "1"])
        booster = fit(preprocessor.transform(train.rows), encode_labels(train.labels, preprocessor), settings)
        return cls(names, preprocessor, booster)

    def probabilities(self, rows: LabelledRows) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, shape (n_rows,)."""
        answers = self.booster.inplace_predict(self.preprocessor.transform(_restricted(rows, self.seen)))
        # As the endpoint writes them.
        return np.array([float(f"{answer:.9g}") for answer in answers], dtype=np.float64)


def _restricted(rows: LabelledRows, names: Sequence[str]) -> tuple[Row, ...]:
    if tuple(names) == rows.header:
        return rows.rows
    places = [rows.header.index(name) for name in names]
    return tuple(tuple(row[place] for place in places) for row in rows.rows)


def capture_line(rows: Sequence[Row], probabilities: Sequence[float], event_id: str, time: str) -> str:
    """Return one captured request with its answer, as a line of a capture file."""
    sides = {
        "endpointInput": _side("INPUT", payload.encode(rows, traffic_choices.CSV_TYPE).decode()),
        "endpointOutput": _side("OUTPUT", "\n".join(map(repr, probabilities))),
    }
    event = {"eventId": event_id, "inferenceTime": time}
    return json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}) + "\n"


def label_line(label: str, event_id: str) -> str:
    """Return the label of a captured request of one row, as a line of a label file."""
    truth = {"data": label, "encoding": "CSV"}
    return json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": event_id}, "eventVersion": "0"}) + "\n"


def _side(mode: str, data: str) -> dict[str, Any]:
    return {"observedContentType": traffic_choices.CSV_TYPE, "mode": mode, "data": data, "encoding": "CSV"}

"""window_counts.json: what a run leaves of its window for later ones. Value counts, no rows."""

import json
from typing import Any

from contract.records import FeatureType, WindowBounds
from contract.training import PROBABILITY_COLUMN
from drift.counts_json import columns_of, counts_entries, counts_entry, counts_of, spec_entries, specs_of
from drift.learned import Baseline
from drift.recent import StoredWindow
from drift.signed_json import is_intact, signed
from drift.table import FeatureSpec
from drift.window import WindowCounts

WINDOW_COUNTS_VERSION = 1
_PROBABILITY = FeatureSpec(PROBABILITY_COLUMN, FeatureType.NUMERIC)


def window_counts_text(baseline: Baseline, window: WindowCounts) -> str:
    """Return the file's text; equal windows give equal bytes. A feature that the window lacks is left out."""
    specs = [spec for spec in baseline.specs if spec.name in window.columns]
    document = {
        "version": WINDOW_COUNTS_VERSION,
        "start": window.bounds.start,
        "end": window.bounds.end,
        "n_rows": window.n_rows,
        "features": spec_entries(specs),
        "probabilities": counts_entry(window.probabilities),
        "counts": counts_entries(specs, window.columns),
    }
    return signed(document, before="features")


def read_window_counts(text: str) -> StoredWindow:
    """Read what `window_counts_text` made.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file; the error says which.
    """
    document: Any = json.loads(text)
    version = document.get("version") if isinstance(document, dict) else None
    if version != WINDOW_COUNTS_VERSION:
        raise ValueError(f"its version must be {WINDOW_COUNTS_VERSION}, got {version!r}")
    if not is_intact(text, document):
        raise ValueError("it has another checksum: it was edited or damaged")
    try:
        specs = specs_of(document["features"])
        return StoredWindow(
            bounds=WindowBounds(document["start"], document["end"]),
            n_rows=document["n_rows"],
            specs=specs,
            columns=columns_of(specs, document["counts"]),
            probabilities=counts_of(_PROBABILITY, document["probabilities"]),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error

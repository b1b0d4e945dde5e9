"""Ground truth labels: reading, checking, uploading."""

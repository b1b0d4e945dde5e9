"""The baseline: what was learned of the training data."""

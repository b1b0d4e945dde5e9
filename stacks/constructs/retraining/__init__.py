"""The retraining loop and its pipeline."""

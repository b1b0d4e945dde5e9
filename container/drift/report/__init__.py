"""The files and metrics that a run leaves."""

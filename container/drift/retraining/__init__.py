"""The retraining pipeline's own two jobs: the rows that a challenger learns from, and whether it may serve."""

"""Lambda functions of the retraining loop."""

"""The retraining Lambda: parse the event, decide without I/O, act once. Standard library and boto3 only."""

"""The retraining controller: parse an event, decide without I/O, store the decision, start at most one execution.

Standard library and boto3 only. docs/adr/0015-one-loop-many-guards.md has the reasons for the design.
"""

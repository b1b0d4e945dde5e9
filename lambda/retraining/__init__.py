"""The controller: parse what happened, decide without I/O, write the decision down, then start at most one execution.

Standard library and boto3 only. docs/adr/0015-one-loop-many-guards.md says why it is made this way.
"""

"""The promotion function: compare the model that should serve with the one that serves, take one step, repeat.

Standard library and boto3 only.
"""

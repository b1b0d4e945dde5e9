"""The promotion Lambda: compare what should serve with what serves, take one step, look again.

Standard library and boto3 only.
"""

"""Exceptions of the CDK app."""


class EnvironmentFileError(Exception):
    """Raised when the environment file, or an input that it names, breaks a rule; the text has the remedy."""

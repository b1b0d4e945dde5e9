"""Exceptions of this package."""


class ReportError(Exception):
    """Raised when there is nothing to report on, or an input to the report breaks its rule."""

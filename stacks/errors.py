"""What the app refuses."""


class ConfigError(Exception):
    """Raised when the environment file, or an input that it names, breaks a rule; the text says what to change."""

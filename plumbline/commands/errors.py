"""What a command raises when its user can put things right."""


class CommandError(Exception):
    """Raised with a text that says what is wrong and what to do; the program ends with exit code 2."""

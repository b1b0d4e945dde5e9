"""Exit codes of the program, and the exception that stands for the operator's mistakes."""

EXIT_FINISHED = 0
EXIT_NEGATIVE = 1
"""The command did its work, and the outcome is negative: the program's help explains it for each command."""
EXIT_OPERATOR = 2
"""The operator can correct what went wrong."""
EXIT_OURS = 3
"""A fault of plumbline."""
EXIT_INTERRUPTED = 130
"""128 plus the number of SIGINT."""


class CommandError(Exception):
    """Raised with a text that says what is wrong and what to do; the program ends with `EXIT_OPERATOR`."""

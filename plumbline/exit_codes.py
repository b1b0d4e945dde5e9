"""What the program ends with. 1 belongs to the commands that use it, as the program's help says."""

EXIT_FINISHED = 0
EXIT_OPERATOR = 2
"""The operator can fix what went wrong."""
EXIT_OURS = 3
"""We must fix it."""
EXIT_INTERRUPTED = 130
"""128 plus the number of SIGINT."""

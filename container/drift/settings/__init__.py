"""Settings of one run, from environment, arguments and policy file."""

"""Constructs of the stacks, one concept per file."""

"""A deployed environment: outputs, champion records."""

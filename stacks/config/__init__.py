"""The environment file: keys, values, errors."""

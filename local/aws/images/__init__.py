"""Container images without Docker."""

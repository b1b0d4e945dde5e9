"""The endpoint and its scaling."""

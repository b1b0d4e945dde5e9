"""The monitoring job and its schedule."""

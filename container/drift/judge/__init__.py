"""Verdicts on what differs."""

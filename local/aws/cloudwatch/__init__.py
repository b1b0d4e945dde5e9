"""Alarms and what they send."""

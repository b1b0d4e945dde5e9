"""Alarms, the dashboard and the topic."""

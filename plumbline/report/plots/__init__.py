"""Plots of the report page."""

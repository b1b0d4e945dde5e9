"""Shapes of data: tables, counts, sketches, windows."""

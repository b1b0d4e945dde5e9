"""Labels that arrive late: read, joined with captured records, and what they say of earlier windows."""

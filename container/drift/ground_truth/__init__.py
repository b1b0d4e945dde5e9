"""Labels that arrive late: read, joined with captured records, and the quality of earlier windows by them."""

"""drift_report.json files in, one self-contained page and PNG plots out."""

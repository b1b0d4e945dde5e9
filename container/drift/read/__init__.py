"""From capture files to one window's counts."""

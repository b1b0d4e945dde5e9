"""Ours and its peers on the same capture files: time and memory, measured from outside the process."""

"""The kernel: capture files reduced to partial counts, which merge by addition."""

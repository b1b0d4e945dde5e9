"""Census Income, synthetic rows and drift scenarios."""

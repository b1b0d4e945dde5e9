"""Traffic replayed against an endpoint."""

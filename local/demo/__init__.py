"""The whole loop, hour by hour, on the embedded AWS."""

"""The drift container: captured requests compared with the training data, hour by hour."""

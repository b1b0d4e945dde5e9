"""SageMaker's control plane."""

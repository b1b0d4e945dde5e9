"""The retraining pipeline's definition, made with the SageMaker Python SDK, and its filling by a stack."""

"""The retraining pipeline's definition, made with the SageMaker Python SDK and committed, and how a stack fills it."""

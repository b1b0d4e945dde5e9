"""Census Income model: script-mode code that SageMaker's XGBoost container runs for training and inference."""

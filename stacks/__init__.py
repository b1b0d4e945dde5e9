"""The CDK app: what one environment provisions."""

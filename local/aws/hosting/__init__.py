"""Endpoints: deployments, serving, capture, scaling."""

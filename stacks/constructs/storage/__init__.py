"""Buckets, grants and assets."""

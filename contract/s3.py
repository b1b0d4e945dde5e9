"""S3 URIs."""

_SCHEME = "s3://"


def is_s3_uri(location: str) -> bool:
    """Return whether a location is an S3 URI; others are local paths."""
    return location.startswith(_SCHEME)


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key or prefix of a URI.

    Raises
    ------
    ValueError
        If the text is no S3 URI.

    Examples
    --------
    >>> split_s3_uri("s3://bucket/prefix/key")
    ('bucket', 'prefix/key')
    """
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not is_s3_uri(uri) or not bucket:
        raise ValueError(f"an S3 URI must look like s3://bucket/prefix, got {uri!r}")
    return bucket, key

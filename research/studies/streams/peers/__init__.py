"""Programs that put a stream's windows to another tool, each in an environment of its own; none imports ours."""

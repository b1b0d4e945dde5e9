"""What each peer's users write: programs that run in the peers' own environments and import nothing of ours."""

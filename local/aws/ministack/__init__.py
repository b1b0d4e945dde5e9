"""What MiniStack lacks or does differently."""

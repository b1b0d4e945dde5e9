"""What differs between a window and the reference."""

"""What callers of the functions are told."""

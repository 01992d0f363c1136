"""Mail as text."""

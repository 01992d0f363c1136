"""The use cases, over fakes."""

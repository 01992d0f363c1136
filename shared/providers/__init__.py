"""One folder per vendor: all that knows its words."""

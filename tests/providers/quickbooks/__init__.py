"""The QuickBooks Online provider."""

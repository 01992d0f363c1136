"""NetSuite's adapter."""

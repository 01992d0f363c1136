"""The simulated NetSuite."""

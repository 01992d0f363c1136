"""The Google simulator."""

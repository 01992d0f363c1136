"""Tests of local/bridge."""

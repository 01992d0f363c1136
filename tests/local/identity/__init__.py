"""Tests of local/identity."""

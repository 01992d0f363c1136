"""Tests of what knows Google."""

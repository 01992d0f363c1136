"""Tests of local/scheduler."""

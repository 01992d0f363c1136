"""Tests that drive the whole laptop cloud as a reader would."""

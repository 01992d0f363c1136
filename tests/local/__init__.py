"""Tests of the laptop cloud."""

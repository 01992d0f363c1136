"""Tests of the Cloud Tasks emulator."""

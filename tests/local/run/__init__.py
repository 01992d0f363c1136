"""Tests of `make run`'s parts that need no emulator."""

"""Tests of the benchmarks, and of budgets that need the emulators."""

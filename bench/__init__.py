"""Benchmarks: what the product costs in time, reads, writes and units; they print and write JSON, and assert nothing."""

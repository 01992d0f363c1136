"""Quotes and contracts on paper."""

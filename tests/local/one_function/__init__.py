"""Serving and calling one function."""

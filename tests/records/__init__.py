"""Tenant-bound repositories."""

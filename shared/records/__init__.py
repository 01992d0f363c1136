"""Tenant-bound repositories: domain objects in and out of the documents port."""

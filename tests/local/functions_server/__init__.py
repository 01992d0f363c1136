"""Tests of local/functions_server."""

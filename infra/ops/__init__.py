"""The commands of `make ops`: `python -m infra.ops <command>`."""

"""The supervisor of the laptop cloud, and what it reads: manifests, ports, environment."""

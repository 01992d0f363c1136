"""Where it runs: what is deployed, and how it is operated."""

"""One file per verb; each imports the domain, the ports and the records, nothing else."""

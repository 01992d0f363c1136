"""Every proof under fire, one after the other with fixed seeds, and one table of what was tried and what failed."""

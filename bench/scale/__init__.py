"""Cost and scale on paper: measured operations, vendors' prices and limits, and what follows for so many mailboxes."""

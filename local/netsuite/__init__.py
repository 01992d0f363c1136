"""NetSuite, simulated on loopback: one account with its books, its bookkeeper and its ways in."""

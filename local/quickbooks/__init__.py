"""QuickBooks Online, simulated on loopback: OAuth, the Accounting API and its notices."""

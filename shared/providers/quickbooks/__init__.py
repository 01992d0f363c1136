"""QuickBooks Online: its OAuth, its Accounting API as a `ports.Ledger`, and its notices."""

"""Oracle NetSuite: the ledger of organizations that keep their books there."""

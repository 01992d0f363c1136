"""Readers of what people export from their own accounts: mail (mbox), calendars (ics) and contacts (csv)."""

"""Invoices, payments and ledgers over fakes."""

"""What quotes, invoices and mappings come to."""

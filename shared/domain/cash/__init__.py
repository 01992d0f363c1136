"""Quote to cash: money, quotes, contracts, invoices and payments."""

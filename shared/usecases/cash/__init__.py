"""Quote to cash: from a quote to money on the deal."""

"""Mail in: what the product does with it."""

"""The laptop cloud: what runs when the product runs on one machine."""

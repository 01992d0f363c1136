"""What the product costs in time, reads, writes and units. They print and write JSON, and assert nothing."""

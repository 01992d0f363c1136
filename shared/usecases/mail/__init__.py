"""Mail in: from a hint that a mailbox changed to a row on a timeline."""

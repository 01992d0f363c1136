"""Gmail v1: the model of a mailbox, and its face for the wire."""

"""What strangers, and signed-in people who mean harm, can send."""

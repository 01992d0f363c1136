"""Reading what people export from their accounts."""

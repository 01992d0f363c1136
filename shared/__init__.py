"""The domain library every function shares."""

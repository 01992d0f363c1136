"""From a checked-out tree to a running project, and back if that fails."""

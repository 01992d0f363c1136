"""Stories of what an operator does by hand."""

"""The infrastructure, checked without a cloud: validated, planned and held to rules."""

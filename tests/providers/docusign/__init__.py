"""The DocuSign provider."""

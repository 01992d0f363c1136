"""The simulated DocuSign."""

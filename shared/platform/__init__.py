"""Google Cloud made into ports."""

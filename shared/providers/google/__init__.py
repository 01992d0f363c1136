"""Google: OAuth, Gmail and Calendar."""

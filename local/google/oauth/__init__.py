"""Google's authorization server: consent page, tokens, revocation, signing keys."""

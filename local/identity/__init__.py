"""Sign-in and service identity of the laptop cloud: one key, Google's claims."""

"""Break the code that matters most in one small place at a time, and see whether a test notices."""

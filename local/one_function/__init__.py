"""One function by itself: served from the code as it is now, and called as its own caller would."""

"""One zip per function: its code, the parts of shared/ it can reach, and the packages those need."""

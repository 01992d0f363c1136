"""Nobody reads or writes across a border: between organizations, between roles, around what is private."""

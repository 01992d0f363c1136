"""What an operator runs by hand: look, repair, rotate, export, erase, back up."""

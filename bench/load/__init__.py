"""The laptop cloud under rising load: where it bends, and how it bears four fifths of that."""

"""`make run`: the laptop cloud does the product's main job before the reader's eyes."""

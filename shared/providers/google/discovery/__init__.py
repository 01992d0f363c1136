"""Google's own descriptions of the calls this product makes, cut down to those calls."""

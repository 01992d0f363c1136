"""Calendar rules: decisions, series, tombstones."""

"""Mail as text: addresses, headers, ids, envelopes, bodies. Values in, values out."""

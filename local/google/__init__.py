"""Google, simulated at the wire: OAuth and OpenID Connect, Gmail and Calendar, with their quotas, pushes and faults."""

"""History: every contact the agencies have reported, append-only, with two clocks."""

"""Is it honest and fair? The checks of a run."""

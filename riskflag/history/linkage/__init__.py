"""Whose records belong together where no identifier says so, and what a steward decides."""

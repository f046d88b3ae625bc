"""Measurements against peers; each writes its own table of `docs/benchmarks.md`."""

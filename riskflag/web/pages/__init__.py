"""The pages: one file each, with a blueprint of its own name."""

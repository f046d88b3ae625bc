"""What a source declares: its files, its columns, its codes, in `sources/NAME.toml`."""

"""The history as it is kept: Parquet files that only grow, and the view of them as of a day."""

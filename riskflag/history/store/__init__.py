"""The history as it is kept: Parquet files that only grow, and the view of them as of a day."""

from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History

__all__ = ["History", "HistoryStore"]

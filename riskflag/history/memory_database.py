"""A DuckDB database that lives in memory alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from riskflag.errors import StorageError


@contextmanager
def memory_database() -> Iterator[Any]:
    """A connection that reads no file and writes none, for as long as the block lasts.

    Left to itself DuckDB puts what memory cannot hold into a folder `.tmp` wherever the command was
    typed, where records about people would stay after a crash. Here it may not; a block that needs
    more memory than there is raises StorageError.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET temp_directory = ''")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET enable_progress_bar = false")
        yield connection
    except duckdb.OutOfMemoryException:
        raise StorageError(
            "There is not enough memory to compare the records, and they are never put into files "
            "for want of it; run the command where more memory is free."
        ) from None
    finally:
        connection.close()

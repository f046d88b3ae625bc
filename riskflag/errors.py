"""The error tree. Every error a user can cause prints one plain sentence and has an exit code.

An error message says what is wrong, where (file, row, column) and what to do next. It never holds
a value taken from the data: a file name, a line number and a column name are enough to find it.
"""

from __future__ import annotations


class RiskflagError(Exception):
    """A problem the user can act on: printed as one sentence, without a traceback."""

    exit_code = 70


class ConfigError(RiskflagError):
    """A declaration (workspace, source, signal, rulebook, experiment) or an option is not valid."""

    exit_code = 40


class IntegrityError(RiskflagError):
    """A bundle, publication or store does not match its recorded hashes or version."""

    exit_code = 40


class InputError(RiskflagError):
    """The data asked for is not there or nothing in it could be accepted."""

    exit_code = 30


class HeldError(RiskflagError):
    """The night is held: something essential is missing, the previous publication stays."""

    exit_code = 20


class StorageError(RiskflagError):
    """Reading or writing the disk or the database failed."""

    exit_code = 50


class LockedError(RiskflagError):
    """Another run is working in this workspace."""

    exit_code = 60


class ConflictError(RiskflagError):
    """Somebody else's change came in between; nothing of either is lost, and the later is told."""

    exit_code = 65


# Exit codes that are results, not errors (see docs/operations.md).
PUBLISHED = 0
ALREADY_PUBLISHED = 3
PUBLISHED_DEGRADED = 10
DEFECT = 70

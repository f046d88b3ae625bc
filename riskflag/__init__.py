"""riskflag: an early-warning risk flagging engine for child safeguarding."""

__version__ = "0.4.0"

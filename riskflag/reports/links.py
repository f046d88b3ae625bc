"""Addresses of the pages around a flag's page, for the web app; a file of its own has none.

No address holds a person's id or name: flags go by their number, records by their key (a hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Links:
    """The pages around one flag's page."""

    flag_id: str
    oldest_first: bool = False

    @property
    def flag(self) -> str:
        """The flag's page itself."""
        return f"/flag/{quote(self.flag_id, safe='')}"

    @property
    def all_records(self) -> str:
        """Every record of the child."""
        return f"{self.flag}/records"

    @property
    def other_order(self) -> str:
        """The flag's page with the records running the other way."""
        return f"{self.flag}{'' if self.oldest_first else '?order=oldest'}#records"

    @property
    def review(self) -> str:
        """The form of the review."""
        return f"{self.flag}/review"

    @property
    def reviews(self) -> str:
        """What was decided before."""
        return f"{self.flag}/reviews"

    @property
    def look_back(self) -> str:
        """What was known when, day by day."""
        return f"{self.flag}/lookback"

    def record(self, key: str) -> str:
        """One record, with where it comes from and what it said before."""
        return f"{self.flag}/record/{quote(key, safe='')}"

    def behind(self, reason_id: str) -> str:
        """The records that one pattern rests on, and no others."""
        return f"{self.all_records}?{urlencode({'pattern': reason_id})}"

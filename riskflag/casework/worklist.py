"""The worklist from the store's columns alone: no file is read, whatever the number of flags.

The order is the night's: urgent rules first, then who has waited longest, brothers and sisters
together; never a score.
"""

from __future__ import annotations

import datetime as dt
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.policies import URGENT
from riskflag.casework.rows import between_bars, names_between
from riskflag.casework.store import Store
from riskflag.casework.tables import Current, Flag, FlagVersion, Publication, Reason, Review
from riskflag.errors import IntegrityError

PAGE_SIZE = 25
#: In how many days after it was raised a flag is to be read first, by its level.
READ_WITHIN = {URGENT: 0, "soon": 7}


@dataclass(frozen=True)
class Filters:
    """Which waiting flags to list; without any, all of them.

    `agency` must stand behind a reason; `new` asks for flags that are new or have new records;
    `unread` for those that nobody has reviewed. `reason` is the id of a reason that holds now;
    `waited` asks for flags that had waited so many days or more at the publication's day; `team`
    for those of one team, an empty text for those without one.
    """

    level: str | None = None
    agency: str | None = None
    new: bool = False
    unread: bool = False
    reason: str | None = None
    waited: int | None = None
    team: str | None = None


@dataclass(frozen=True)
class Listed:
    """One waiting flag.

    `flag` is its FLAG JSON cut down to what a list shows (riskflag.nightly.listing); `due_on` is
    the day by which somebody should look at it, `reviewed_on` when somebody last did.
    """

    flag_id: str
    person_id: str
    waiting_since: dt.date
    due_on: dt.date | None
    reviewed_on: dt.datetime | None
    flag: Mapping[str, Any]


@dataclass(frozen=True)
class WorklistPage:
    """A page of waiting flags.

    `total` counts those the filters let through, `waiting` all that wait; `page` runs from 1 to
    `pages`. `numbers` has the flag numbers of brothers and sisters who wait, by person.
    """

    lines: tuple[Listed, ...]
    total: int
    waiting: int
    page: int
    pages: int
    as_of: dt.date | None
    numbers: Mapping[str, str]


@dataclass(frozen=True)
class _State:
    """What decides which flags wait: the current publication, and how much was reviewed."""

    publication: int | None
    as_of: dt.date | None
    reviews: int


class Orders:
    """Which flags wait, in the order of the list: kept for the filters that were asked for last.

    It holds numbers of rows and nothing about a child. Every question asks the store whether a
    night was published or a review recorded since, within the transaction that reads the list.
    """

    #: So many orders are kept; one of 20,000 flags takes 160 kB.
    MOST = 32

    def __init__(self) -> None:
        self._state: _State | None = None
        self._kept: dict[Filters, array[int]] = {}
        self._lock = Lock()

    def of(self, session: Session, filters: Filters, state: _State) -> array[int]:
        """The newest versions of the flags that the filters let through, by their row's number."""
        with self._lock:  # readers who come together wait for the first, and take what was made
            if self._state != state:
                self._state, self._kept = state, {}
            found = self._kept.pop(filters, None)
            if found is None:
                found = array("q", session.scalars(_ordered(filters, state.as_of)))
            self._kept[filters] = found  # the one asked for last is dropped last
            while len(self._kept) > self.MOST:
                self._kept.pop(next(iter(self._kept)))
            return found


def worklist_page(
    store: Store,
    filters: Filters | None = None,
    page: int = 1,
    *,
    size: int = PAGE_SIZE,
    orders: Orders | None = None,
) -> WorklistPage:
    """The waiting flags of one page; a page beyond the last is the last.

    `orders` is kept from one question to the next by a caller who has more than one.

    Raises IntegrityError when the flags were stored by an older program and not yet filled in
    (riskflag.nightly.published.complete does it).
    """
    orders = orders or Orders()
    with store.reading() as session:
        state = _State(*session.connection().execute(_STATE).one())
        waiting = orders.of(session, Filters(), state)
        found = orders.of(session, filters or Filters(), state)
        pages = max(1, -(-len(found) // size))
        page = min(max(page, 1), pages)
        lines = _lines(session, found[(page - 1) * size : page * size])
        numbers = _numbers(session, lines)
        return WorklistPage(lines, len(found), len(waiting), page, pages, state.as_of, numbers)


def count_waiting(store: Store, filters: Filters, orders: Orders) -> int:
    """How many waiting flags the filters let through."""
    with store.reading() as session:
        return len(orders.of(session, filters, _State(*session.connection().execute(_STATE).one())))


_CURRENT = sa.select(Current.publication_id).scalar_subquery()
_STATE = sa.select(
    _CURRENT,
    sa.select(Publication.as_of).where(Publication.id == _CURRENT).scalar_subquery(),
    sa.select(sa.func.count()).select_from(Review).scalar_subquery(),
)


def _ordered(filters: Filters, as_of: dt.date | None) -> sa.Select[int]:
    return (
        sa.select(FlagVersion.id)
        .join(Flag, Flag.version_id == FlagVersion.id)
        .where(*_conditions(filters, as_of))
        .order_by(Flag.place, Flag.first_raised, Flag.flag_id)
    )


def agencies_waiting(store: Store) -> tuple[str, ...]:
    """The agencies behind the reasons of waiting flags, sorted: what can be filtered by."""
    with store.reading() as session:
        found = session.scalars(
            sa.select(FlagVersion.agencies)
            .join(Flag, Flag.version_id == FlagVersion.id)
            .where(Flag.status == "open")
            .distinct()
        )
        return tuple(sorted({name for text in found for name in names_between(text)}))


def reasons_waiting(store: Store) -> tuple[str, ...]:
    """The ids of the reasons that hold for waiting flags, sorted: what can be filtered by."""
    with store.reading() as session:
        found = session.scalars(
            sa.select(Reason.reason_id)
            .join(Flag, Flag.flag_id == Reason.flag_id)
            .join(FlagVersion, FlagVersion.id == Flag.version_id)
            .where(Flag.status == "open", _holds_now())
            .distinct()
        )
        return tuple(sorted(found))


def teams_waiting(store: Store) -> tuple[str, ...]:
    """The teams of waiting flags, sorted; flags without one add nothing."""
    with store.reading() as session:
        found = session.scalars(
            sa.select(FlagVersion.team)
            .join(Flag, Flag.version_id == FlagVersion.id)
            .where(Flag.status == "open")
            .distinct()
        )
        return tuple(sorted(team for team in found if team))


def of_team(team: str) -> sa.ColumnElement[bool]:
    """That a version is one team's, or has no team when the text is empty."""
    return sa.func.coalesce(FlagVersion.team, "") == team


def _holds_now() -> sa.ColumnElement[bool]:
    return Reason.last_publication_id == FlagVersion.publication_id


def _conditions(filters: Filters, as_of: dt.date | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [Flag.status == "open"]
    if filters.level is not None:
        wanted.append(FlagVersion.level == filters.level)
    if filters.agency is not None:
        wanted.append(
            FlagVersion.agencies.contains(between_bars([filters.agency]), autoescape=True)
        )
    if filters.new:
        wanted.append(sa.or_(FlagVersion.status == "new", FlagVersion.new_records > 0))
    if filters.unread:
        wanted.append(~sa.exists().where(Review.flag_id == Flag.flag_id))
    if filters.reason is not None:
        this = (Reason.flag_id == Flag.flag_id, Reason.reason_id == filters.reason)
        wanted.append(sa.exists().where(*this, _holds_now()))
    if filters.team is not None:
        wanted.append(of_team(filters.team))
    if filters.waited is not None and as_of is not None:
        wanted.append(Flag.first_raised <= as_of - dt.timedelta(days=filters.waited))
    return wanted


def _lines(session: Session, versions: Sequence[int]) -> tuple[Listed, ...]:
    """The lines of some versions of flags, in their order."""
    columns = (Flag.flag_id, Flag.person_id, Flag.first_raised)
    rows = session.execute(
        sa.select(FlagVersion.id, FlagVersion.listed, FlagVersion.level, *columns)
        .join(Flag, Flag.flag_id == FlagVersion.flag_id)
        .where(FlagVersion.id.in_(versions))
    )
    found = {row.id: row for row in rows}
    reviewed = _last_reviews(session, [row.flag_id for row in found.values()])
    lines = []
    for row in map(found.__getitem__, versions):
        if row.listed is None:
            raise IntegrityError(
                "The worklist of the current publication was stored by an older version; run "
                "`riskflag score` for the same day again to bring it up to date."
            )
        at, back_on = reviewed.get(row.flag_id, (None, None))
        due_on = first_due(row.first_raised, row.level) if at is None else back_on
        told = json.loads(row.listed)
        lines.append(Listed(row.flag_id, row.person_id, row.first_raised, due_on, at, told))
    return tuple(lines)


def first_due(first_raised: dt.date, level: str) -> dt.date | None:
    """The day by which a flag should be read for the first time; None for no such day."""
    days = READ_WITHIN.get(level)
    return None if days is None else first_raised + dt.timedelta(days=days)


def _last_reviews(
    session: Session, flag_ids: Sequence[str]
) -> dict[str, tuple[dt.datetime, dt.date | None]]:
    rows = session.execute(
        sa.select(Review.flag_id, Review.decided_at, Review.back_on)
        .where(Review.flag_id.in_(flag_ids))
        .order_by(Review.flag_id, Review.number)
    )
    return {flag_id: (at, back_on) for flag_id, at, back_on in rows}


def _numbers(session: Session, lines: Sequence[Listed]) -> dict[str, str]:
    """The numbers of the open flags of the brothers and sisters of those listed, by person.

    Each is asked for by itself: of a list of people SQLite looks through every open flag.
    """
    people = sorted({person for line in lines for person in line.flag["siblings"]})
    rows = session.execute(_OPEN_OF, {"people": json.dumps(people)})
    return {person: flag_id for person, flag_id in rows if flag_id is not None}


_PEOPLE = sa.func.json_each(sa.bindparam("people")).table_valued("value")
_OPEN_OF = sa.select(
    _PEOPLE.c.value,
    sa.select(Flag.flag_id)
    # Written out, so that SQLite finds the index that holds open flags alone.
    .where(Flag.person_id == _PEOPLE.c.value, Flag.status == sa.literal_column("'open'"))
    .scalar_subquery(),
)

"""The worklist from the store's columns alone: no file is read, whatever the number of flags.

The order is the night's: urgent rules first, then who has waited longest, brothers and sisters
together; never a score.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.policies import URGENT
from riskflag.casework.rows import between_bars
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


def worklist_page(
    store: Store,
    filters: Filters | None = None,
    page: int = 1,
    *,
    size: int = PAGE_SIZE,
    total: int | None = None,
) -> WorklistPage:
    """The waiting flags of one page; a page beyond the last is the last.

    `total` is what `count_waiting` said of these filters, when the caller has it at hand.

    Raises IntegrityError when the flags were stored by an older program and not yet filled in
    (riskflag.nightly.published.complete does it).
    """
    with store.reading() as session:
        as_of = _as_of(session)
        wanted = _conditions(filters or Filters(), as_of)
        waiting = _count(session, [Flag.status == "open"])
        if total is None or len(wanted) == 1:
            total = waiting if len(wanted) == 1 else _count(session, wanted)
        pages = max(1, -(-total // size))
        page = min(max(page, 1), pages)
        # First which ones, from narrow rows; then what to show of them.
        order = (Flag.place, Flag.first_raised, Flag.flag_id)
        chosen = sa.select(Flag.flag_id).where(*wanted).order_by(*order)
        if len(wanted) > 1:
            chosen = chosen.join(FlagVersion, FlagVersion.id == Flag.version_id)
        chosen = chosen.limit(size).offset((page - 1) * size)
        rows = session.execute(
            sa.select(Flag, FlagVersion.listed, FlagVersion.level)
            .join(FlagVersion, FlagVersion.id == Flag.version_id)
            .where(Flag.flag_id.in_(chosen))
            .order_by(*order)
        ).all()
        lines = _lines(session, rows)
        return WorklistPage(lines, total, waiting, page, pages, as_of, _numbers(session, lines))


def count_waiting(store: Store, filters: Filters) -> int:
    """How many waiting flags the filters let through."""
    with store.reading() as session:
        return _count(session, _conditions(filters, _as_of(session)))


def agencies_waiting(store: Store) -> tuple[str, ...]:
    """The agencies behind the reasons of waiting flags, sorted: what can be filtered by."""
    with store.reading() as session:
        found = session.scalars(
            sa.select(FlagVersion.agencies)
            .join(Flag, Flag.version_id == FlagVersion.id)
            .where(Flag.status == "open")
            .distinct()
        )
        return tuple(sorted({name for text in found for name in (text or "").split("|") if name}))


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


def _count(session: Session, wanted: Sequence[sa.ColumnElement[bool]]) -> int:
    counted = sa.select(sa.func.count()).select_from(Flag).where(*wanted)
    if len(wanted) > 1:
        counted = counted.join(FlagVersion, FlagVersion.id == Flag.version_id)
    return int(session.scalar(counted) or 0)


def _lines(session: Session, rows: Sequence[Any]) -> tuple[Listed, ...]:
    reviewed = _last_reviews(session, [flag.flag_id for flag, _, _ in rows])
    lines = []
    for flag, listed, level in rows:
        if listed is None:
            raise IntegrityError(
                "The worklist of the current publication was stored by an older version; run "
                "`riskflag score` for the same day again to bring it up to date."
            )
        at, back_on = reviewed.get(flag.flag_id, (None, None))
        due_on = first_due(flag.first_raised, level) if at is None else back_on
        lines.append(
            Listed(flag.flag_id, flag.person_id, flag.first_raised, due_on, at, json.loads(listed))
        )
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
    people = {person for line in lines for person in line.flag["siblings"]}
    # Written out, so that SQLite finds the index that holds open flags alone.
    is_open = Flag.status == sa.literal_column("'open'")
    rows = session.execute(
        sa.select(Flag.person_id, Flag.flag_id).where(Flag.person_id.in_(sorted(people)), is_open)
    )
    return {row.person_id: row.flag_id for row in rows}


def _as_of(session: Session) -> dt.date | None:
    return session.scalar(
        sa.select(Publication.as_of).join(Current, Current.publication_id == Publication.id)
    )

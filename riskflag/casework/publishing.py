"""Between nights and the store: what a night starts from, and the one transaction that ends it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.policies import ClosedFlag
from riskflag.casework.rows import FlagRow, ReasonRow, fill_in, write_rows
from riskflag.casework.store import Store
from riskflag.casework.tables import Current, Flag, FlagVersion, Publication, Reason, Review
from riskflag.casework.worked import Worked, worked
from riskflag.clock import LONDON, moment

__all__ = ["FlagRow", "ReasonRow"]

Reached = Callable[[str], None]

#: The time over which `capacity_per_week` counts.
WEEK = 7


@dataclass(frozen=True)
class PublicationRecord:
    """One row of the publication table, in plain values."""

    run_key: str
    as_of: dt.date
    generation: int
    folder: str
    content_hash: str
    manifest_hash: str
    exit_code: int


@dataclass(frozen=True)
class OpenFlag:
    """A flag that waits for a person, as the store knows it before the night.

    `previous_as_of` is the newest earlier day on which it was published. `elsewhere` is the newest
    publication that holds it when the current one does not: it was closed and opened again.
    """

    flag_id: str
    person_id: str
    first_raised: dt.date
    last_matched: dt.date
    raised_by: str
    previous_as_of: dt.date | None
    elsewhere: PublicationRecord | None = None


@dataclass(frozen=True)
class State:
    """All that a night takes from the store; written into its publication to make it repeatable."""

    previous: PublicationRecord | None
    open_flags: tuple[OpenFlag, ...]
    closed_flags: tuple[ClosedFlag, ...]
    last_serial: int
    raised_by_model: int
    worked: tuple[Worked, ...] = ()

    @property
    def ever(self) -> frozenset[str]:
        """Everyone who has, or once had, a flag."""
        waiting = {flag.person_id for flag in self.open_flags}
        return frozenset(waiting | {flag.person_id for flag in self.closed_flags})


# Asked by most pages: made once, and of tables, for whole objects cost as much again.
_RECORD = [Publication.__table__.c[one.name] for one in fields(PublicationRecord)]
_NOW = sa.select(*_RECORD).join_from(Publication, Current, Current.publication_id == Publication.id)


def current(store: Store) -> PublicationRecord | None:
    """The publication that readers see, or None before the first night."""
    with store.reading() as session:
        found = session.connection().execute(_NOW).first()
        return None if found is None else PublicationRecord(*found)


def published(store: Store, run_key: str) -> PublicationRecord | None:
    """The publication with this run key, or None."""
    with store.reading() as session:
        found = session.scalar(sa.select(Publication).where(Publication.run_key == run_key))
        return None if found is None else _record(found)


def publication_of(store: Store, flag_id: str) -> PublicationRecord | None:
    """The newest publication that holds a flag, or None when there is no such flag."""
    with store.reading() as session:
        found = session.scalar(
            sa.select(Publication)
            .join(FlagVersion, FlagVersion.publication_id == Publication.id)
            .where(FlagVersion.flag_id == flag_id)
            .order_by(Publication.id.desc())
            .limit(1)
        )
        return None if found is None else _record(found)


@dataclass(frozen=True)
class Held:
    """Where the newest version of a flag is: its publication, and its bytes in flags.json.

    `starts` and `length` are None in publications of an older program.
    """

    record: PublicationRecord
    payload_hash: str
    starts: int | None
    length: int | None


_VERSION = FlagVersion.__table__.c
_HELD = (
    sa.select(_VERSION.payload_hash, _VERSION.starts, _VERSION.length, *_RECORD)
    .join_from(Publication, FlagVersion, Publication.id == FlagVersion.publication_id)
    .join(Flag, Flag.version_id == FlagVersion.id)
    .where(Flag.flag_id == sa.bindparam("flag"))
)


def held(store: Store, flag_id: str) -> Held | None:
    """Where the newest version of a flag is, or None when there is no such flag."""
    with store.reading() as session:
        found = session.connection().execute(_HELD, {"flag": flag_id}).first()
    if found is None:
        return None
    payload_hash, starts, length, *record = found
    return Held(PublicationRecord(*record), payload_hash, starts, length)


def held_versions(store: Store, flag_id: str) -> list[Held]:
    """Where every published version of a flag is, oldest first."""
    with store.reading() as session:
        found = session.execute(
            sa.select(FlagVersion, Publication)
            .join(Publication, Publication.id == FlagVersion.publication_id)
            .where(FlagVersion.flag_id == flag_id)
            .order_by(Publication.id)
        )
        return [Held(_record(pub), v.payload_hash, v.starts, v.length) for v, pub in found]


def open_flag_ids(store: Store, *, most: int) -> tuple[str, ...]:
    """The flags that wait for a person, longest waiting first; at most so many."""
    with store.reading() as session:
        found = session.scalars(
            sa.select(Flag.flag_id)
            .where(Flag.status == "open")
            .order_by(Flag.first_raised, Flag.flag_id)
            .limit(most)
        )
        return tuple(found)


def lacks_places(store: Store) -> bool:
    """Whether the current publication was stored by an older program, without what lists read."""
    with store.reading() as session:
        found = session.scalar(
            sa.select(FlagVersion.id)
            .join(Current, Current.publication_id == FlagVersion.publication_id)
            .where(FlagVersion.listed.is_(None))
            .limit(1)
        )
        return found is not None


def fill_in_places(store: Store, flags: Sequence[FlagRow]) -> None:
    """Give the current publication's flags what lists read."""
    with store.writing() as session:
        publication = _current(session)
        if publication is not None:
            fill_in(session, flags, publication.id)


def publications(store: Store) -> list[PublicationRecord]:
    """Every publication, oldest first."""
    with store.reading() as session:
        rows = session.scalars(sa.select(Publication).order_by(Publication.id))
        return [_record(row) for row in rows]


def state(store: Store, as_of: dt.date) -> State:
    """What the store knows before the night of `as_of`."""
    with store.reading() as session:
        found = _current(session)
        recent = as_of - dt.timedelta(days=WEEK)
        raised = sa.select(sa.func.count()).where(
            Flag.raised_by == "model", Flag.first_raised > recent
        )
        last = sa.select(sa.func.max(Flag.flag_id)).where(
            Flag.flag_id.like(f"F-{as_of.year:04d}-%")
        )
        last_id = session.scalar(last)
        return State(
            previous=None if found is None else _record(found),
            open_flags=_open_flags(session, as_of),
            closed_flags=_closed_flags(session),
            last_serial=0 if last_id is None else int(last_id.rsplit("-", 1)[1]),
            raised_by_model=int(session.scalar(raised) or 0),
            worked=worked(session, as_of),
        )


def publish(
    store: Store, record: PublicationRecord, flags: Sequence[FlagRow], *, reached: Reached
) -> audit.Head:
    """Put a publication and its flags into the store and make it the current one.

    One transaction: a reader sees the previous publication or this one. `reached` is told each
    step. Returns the end of the audit chain.
    """
    with store.writing() as session:
        publication = _insert_publication(session, record)
        reached("store: publication")
        write_rows(session, flags, publication, reached=reached)
        session.merge(Current(id=1, publication_id=publication))
        session.flush()
        reached("store: current")
        counts = Counter(flag.level for flag in flags)
        end = audit.record(
            session,
            store.key,
            actor="night",
            action="publish",
            subject=None,
            detail={"run_key": record.run_key, "content": record.content_hash, "flags": counts},
        )
        reached("store: audit")
    reached("store: committed")
    return end


_CURRENT = sa.select(Publication).join(Current, Current.publication_id == Publication.id)


def _current(session: Session) -> Publication | None:
    return session.scalar(_CURRENT)


def _record(row: Publication) -> PublicationRecord:
    return PublicationRecord(
        row.run_key,
        row.as_of,
        row.generation,
        row.folder,
        row.content_hash,
        row.manifest_hash,
        row.exit_code,
    )


def _open_flags(session: Session, as_of: dt.date) -> tuple[OpenFlag, ...]:
    earlier = (
        sa.select(FlagVersion.flag_id, sa.func.max(Publication.as_of).label("as_of"))
        .join(Publication, FlagVersion.publication_id == Publication.id)
        .where(Publication.as_of < as_of)
        .group_by(FlagVersion.flag_id)
        .subquery()
    )
    current = session.scalar(sa.select(Current.publication_id))
    rows = session.execute(
        sa.select(Flag, earlier.c.as_of, Publication)
        .outerjoin(earlier, earlier.c.flag_id == Flag.flag_id)
        .join(FlagVersion, FlagVersion.id == Flag.version_id)
        .join(Publication, Publication.id == FlagVersion.publication_id)
        .where(Flag.status == "open")
        .order_by(Flag.flag_id)
    )
    return tuple(
        OpenFlag(
            flag.flag_id,
            flag.person_id,
            flag.first_raised,
            flag.last_matched,
            flag.raised_by,
            previous,
            None if newest.id == current else _record(newest),
        )
        for flag, previous, newest in rows
    )


def _closed_flags(session: Session) -> tuple[ClosedFlag, ...]:
    """The last closed flag of every person who has no open one."""
    still_open = sa.select(Flag.person_id).where(Flag.status == "open")
    rows = session.execute(
        sa.select(Flag, Review, Publication.as_of)
        .join(Review, Review.review_id == Flag.closed_by)
        .join(Publication, Publication.id == Review.publication_id)
        .where(Flag.status == "closed", Flag.person_id.not_in(still_open))
        .order_by(Flag.person_id, Flag.flag_id)
    ).all()
    last = {flag.person_id: (flag, review, day) for flag, review, day in rows}
    return tuple(
        ClosedFlag(
            flag.flag_id,
            flag.person_id,
            _shown_level(session, flag.flag_id, review.publication_id),
            review.decided_at.astimezone(LONDON).date(),
            day,
            _reason_ids(session, flag.flag_id),
            review.comes_back,
            review.back_on,
        )
        for flag, review, day in last.values()
    )


def _shown_level(session: Session, flag_id: str, publication: int) -> str:
    level = session.scalar(
        sa.select(FlagVersion.level).where(
            FlagVersion.flag_id == flag_id, FlagVersion.publication_id == publication
        )
    )
    return str(level)


def _reason_ids(session: Session, flag_id: str) -> frozenset[str]:
    return frozenset(session.scalars(sa.select(Reason.reason_id).where(Reason.flag_id == flag_id)))


def _insert_publication(session: Session, record: PublicationRecord) -> int:
    previous = session.scalar(sa.select(Current.publication_id))
    row = Publication(
        run_key=record.run_key,
        as_of=record.as_of,
        generation=record.generation,
        folder=record.folder,
        content_hash=record.content_hash,
        manifest_hash=record.manifest_hash,
        exit_code=record.exit_code,
        previous_id=previous,
        created_at=moment(),
    )
    session.add(row)
    session.flush()
    return row.id

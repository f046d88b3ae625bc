"""Writing one publication's flags into the store, within the transaction that publishes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.tables import Evidence, Flag, FlagVersion, Reason
from riskflag.errors import ConflictError

FLAGS, REASONS = cast(sa.Table, Flag.__table__), cast(sa.Table, Reason.__table__)
EVIDENCE, VERSIONS = cast(sa.Table, Evidence.__table__), cast(sa.Table, FlagVersion.__table__)
ADD_EVIDENCE = (
    "INSERT INTO evidence (reason_pk, contact_key, version, first_publication_id) "
    "VALUES (?, ?, ?, ?)"
)


@dataclass(frozen=True)
class ReasonRow:
    """A reason with the contacts behind it: pairs of key and version."""

    reason_id: str
    source: str
    rule_version: int | None
    contacts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FlagRow:
    """What the store keeps of one flag of one publication.

    `place` is its place on the worklist, `listed` the JSON of what a worklist shows of it,
    `agencies` those behind its reasons, `team` the responsible one (an empty text: none recorded);
    `starts` and `length` are the bytes of flags.json that hold it.
    """

    flag_id: str
    person_id: str
    level: str
    status: str
    standing: str
    raised_by: str
    first_raised: dt.date
    last_matched: dt.date
    payload_hash: str
    reasons: tuple[ReasonRow, ...]
    place: int | None = None
    starts: int | None = None
    length: int | None = None
    listed: str | None = None
    agencies: tuple[str, ...] = ()
    new_records: int | None = None
    team: str | None = None


def write_rows(
    session: Session,
    flags: Sequence[FlagRow],
    publication: int,
    *,
    reached: Callable[[str], None],
) -> None:
    """Write flags, their versions, reasons and evidence; `reached` is told each step.

    Raises ConflictError when a review has opened another flag of the same child again since the
    night began: the night must then be made again with what is open now.
    """
    _write_flags(session, flags)
    reached("store: flags")
    _write_versions(session, flags, publication)
    _write_reasons(session, flags, publication)
    reached("store: reasons")


def between_bars(names: Sequence[str]) -> str:
    """Names as one text in which each can be found whole: |ed|police|."""
    return f"|{'|'.join(names)}|" if names else ""


def names_between(text: str | None) -> tuple[str, ...]:
    """The names in such a text; none in a row of an older program."""
    return tuple(name for name in (text or "").split("|") if name)


def _write_flags(session: Session, flags: Sequence[FlagRow]) -> None:
    """Insert the new flags; move the last matched day of the others forward, never back."""
    rows = session.execute(sa.select(Flag.flag_id, Flag.last_matched))
    known = {row.flag_id: row.last_matched for row in rows}
    new = [
        {
            "flag_id": flag.flag_id,
            "person_id": flag.person_id,
            "status": "open",
            "raised_by": flag.raised_by,
            "first_raised": flag.first_raised,
            "last_matched": flag.last_matched,
        }
        for flag in flags
        if flag.flag_id not in known
    ]
    _refuse_second_open(session, new)
    if new:
        session.execute(sa.insert(Flag), new)
    later = [
        {"this": flag.flag_id, "day": flag.last_matched}
        for flag in flags
        if flag.flag_id in known and known[flag.flag_id] < flag.last_matched
    ]
    change = sa.update(FLAGS).where(FLAGS.c.flag_id == sa.bindparam("this"))
    _each(session, change.values(last_matched=sa.bindparam("day")), later)


def _refuse_second_open(session: Session, new: Sequence[dict[str, Any]]) -> None:
    """A child has one open flag."""
    waiting = set(session.scalars(sa.select(Flag.person_id).where(Flag.status == "open")))
    if any(flag["person_id"] in waiting for flag in new):
        raise ConflictError(
            "A flag was opened again while the night ran; nothing was published. Run it again."
        )


def _write_versions(session: Session, flags: Sequence[FlagRow], publication: int) -> None:
    rows = [
        {
            "flag_id": flag.flag_id,
            "publication_id": publication,
            "level": flag.level,
            "status": flag.status,
            "standing": flag.standing,
            "payload_hash": flag.payload_hash,
            "starts": flag.starts,
            "length": flag.length,
            "listed": flag.listed,
            "agencies": between_bars(flag.agencies),
            "new_records": flag.new_records,
            "team": flag.team,
        }
        for flag in flags
    ]
    if not rows:
        return
    session.execute(sa.insert(FlagVersion), rows)
    written = session.execute(
        sa.select(FlagVersion.flag_id, FlagVersion.id).where(
            FlagVersion.publication_id == publication
        )
    )
    newest = {row.flag_id: row.id for row in written}
    this = FLAGS.c.flag_id == sa.bindparam("this")
    change = sa.update(FLAGS).where(this)
    _each(
        session,
        change.values(version_id=sa.bindparam("version"), place=sa.bindparam("at")),
        [
            {"this": flag.flag_id, "version": newest[flag.flag_id], "at": flag.place}
            for flag in flags
        ],
    )


def _write_reasons(session: Session, flags: Sequence[FlagRow], publication: int) -> None:
    """Add the reasons and contacts that are new; note of the others that they hold tonight too."""
    before = _reason_keys(session, publication)
    new, again = [], []
    for flag in flags:
        for reason in flag.reasons:
            pk = before.get((flag.flag_id, reason.reason_id))
            if pk is None:
                new.append(_reason(flag.flag_id, reason, publication))
            else:
                again.append({"this": pk})
    if new:
        session.execute(sa.insert(Reason), new)
    last = sa.update(REASONS).where(REASONS.c.id == sa.bindparam("this"))
    _each(session, last.values(last_publication_id=publication), again)
    keys = _reason_keys(session, publication)
    held = _evidence(session, publication)
    # Plain tuples: a night of ten thousand flags has hundreds of thousands of them.
    contacts = [
        (pk, key, version, publication)
        for flag in flags
        for reason in flag.reasons
        for pk in [keys[flag.flag_id, reason.reason_id]]
        for key, version in reason.contacts
        if (pk, key, version) not in held
    ]
    if contacts:
        session.connection().exec_driver_sql(ADD_EVIDENCE, contacts)


def _reason_keys(session: Session, publication: int) -> dict[tuple[str, str], int]:
    """The reasons of this publication's flags, also of one that was closed since the night began.

    Found by its version, not by its standing: a review that came in meanwhile changes nothing here.
    """
    rows = session.execute(
        sa.select(Reason.flag_id, Reason.reason_id, Reason.id)
        .join(FlagVersion, FlagVersion.flag_id == Reason.flag_id)
        .where(FlagVersion.publication_id == publication)
    )
    return {(row.flag_id, row.reason_id): row.id for row in rows}


def _evidence(session: Session, publication: int) -> set[tuple[int, str, int]]:
    rows = session.connection().execute(
        sa.select(EVIDENCE.c.reason_pk, EVIDENCE.c.contact_key, EVIDENCE.c.version)
        .join(REASONS, REASONS.c.id == EVIDENCE.c.reason_pk)
        .join(VERSIONS, VERSIONS.c.flag_id == REASONS.c.flag_id)
        .where(VERSIONS.c.publication_id == publication)
    )
    return set(map(tuple, rows))


def _reason(flag_id: str, reason: ReasonRow, publication: int) -> dict[str, object]:
    return {
        "flag_id": flag_id,
        "reason_id": reason.reason_id,
        "source": reason.source,
        "rule_version": reason.rule_version,
        "first_publication_id": publication,
        "last_publication_id": publication,
    }


def _each(
    session: Session, change: sa.Insert | sa.Update, values: Sequence[dict[str, Any]]
) -> None:
    """Make a change once for each set of values: many rows while reviewers wait for the lock."""
    if values:
        session.connection().execute(change, list(values))


def fill_in(session: Session, flags: Sequence[FlagRow], publication: int) -> None:
    """Give versions of an older program what a worklist reads; nothing else of them changes."""
    columns = ("starts", "length", "listed", "agencies", "new_records", "team")
    for flag in flags:
        values = {name: getattr(flag, name) for name in columns}
        session.execute(
            sa.update(FlagVersion)
            .where(FlagVersion.flag_id == flag.flag_id, FlagVersion.publication_id == publication)
            .values({**values, "agencies": between_bars(flag.agencies)})
        )
        session.execute(
            sa.update(Flag).where(Flag.flag_id == flag.flag_id).values(place=flag.place)
        )

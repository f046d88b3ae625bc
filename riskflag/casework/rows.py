"""Writing one publication's flags into the store, within the transaction that publishes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.tables import Evidence, Flag, FlagVersion, Reason


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
    `agencies` those behind its reasons; `starts` and `length` are the bytes of flags.json that
    hold it.
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


def write_rows(
    session: Session,
    flags: Sequence[FlagRow],
    publication: int,
    *,
    reached: Callable[[str], None],
) -> None:
    """Write flags, their versions, reasons and evidence; `reached` is told each step."""
    _write_flags(session, flags)
    reached("store: flags")
    _write_versions(session, flags, publication)
    _write_reasons(session, flags, publication)
    reached("store: reasons")


def between_bars(names: Sequence[str]) -> str:
    """Names as one text in which each can be found whole: |ed|police|."""
    return f"|{'|'.join(names)}|" if names else ""


def _write_flags(session: Session, flags: Sequence[FlagRow]) -> None:
    """Insert the new flags; move the last matched day of the others forward, never back."""
    known = set(session.scalars(sa.select(Flag.flag_id)))
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
    if new:
        session.execute(sa.insert(Flag), new)
    for flag in flags:
        if flag.flag_id in known:
            session.execute(
                sa.update(Flag)
                .where(Flag.flag_id == flag.flag_id, Flag.last_matched < flag.last_matched)
                .values(last_matched=flag.last_matched)
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
        }
        for flag in flags
    ]
    if not rows:
        return
    session.execute(sa.insert(FlagVersion), rows)
    newest = sa.select(FlagVersion.id).where(
        FlagVersion.flag_id == Flag.flag_id, FlagVersion.publication_id == publication
    )
    here = sa.select(FlagVersion.flag_id).where(FlagVersion.publication_id == publication)
    session.execute(
        sa.update(Flag)
        .where(Flag.flag_id.in_(here))
        .values(version_id=newest.scalar_subquery())
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(Flag), [{"flag_id": flag.flag_id, "place": flag.place} for flag in flags]
    )


def _write_reasons(session: Session, flags: Sequence[FlagRow], publication: int) -> None:
    """Add the reasons and contacts that are new; note of the others that they hold tonight too."""
    known = {
        (flag_id, reason_id): pk
        for pk, flag_id, reason_id in session.execute(
            sa.select(Reason.id, Reason.flag_id, Reason.reason_id)
            .join(Flag, Flag.flag_id == Reason.flag_id)
            .where(Flag.status == "open")
        )
    }
    contacts: list[dict[str, object]] = []
    for flag in flags:
        for reason in flag.reasons:
            pk = known.get((flag.flag_id, reason.reason_id))
            if pk is None:
                pk = _insert_reason(session, flag.flag_id, reason, publication)
                held: set[tuple[str, int]] = set()
            else:
                session.execute(
                    sa.update(Reason).where(Reason.id == pk).values(last_publication_id=publication)
                )
                held = _held(session, pk)
            contacts.extend(
                {
                    "reason_pk": pk,
                    "contact_key": key,
                    "version": version,
                    "first_publication_id": publication,
                }
                for key, version in reason.contacts
                if (key, version) not in held
            )
    if contacts:
        session.execute(sa.insert(Evidence), contacts)


def _insert_reason(session: Session, flag_id: str, reason: ReasonRow, publication: int) -> int:
    row = Reason(
        flag_id=flag_id,
        reason_id=reason.reason_id,
        source=reason.source,
        rule_version=reason.rule_version,
        first_publication_id=publication,
        last_publication_id=publication,
    )
    session.add(row)
    session.flush()
    return row.id


def _held(session: Session, pk: int) -> set[tuple[str, int]]:
    found = session.execute(
        sa.select(Evidence.contact_key, Evidence.version).where(Evidence.reason_pk == pk)
    )
    return {(key, version) for key, version in found}


def fill_in(session: Session, flags: Sequence[FlagRow], publication: int) -> None:
    """Give versions of an older program what a worklist reads; nothing else of them changes."""
    columns = ("starts", "length", "listed", "agencies", "new_records")
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

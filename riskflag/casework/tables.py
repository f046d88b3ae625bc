"""The tables of the operational store.

Strict tables hold text and whole numbers only: days as ISO dates, instants as ISO text in UTC, so
that a value means the same in every tool that opens the file.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Text,
    TypeDecorator,
    UniqueConstraint,
    case,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from riskflag.casework.policies import MEANING


class Day(TypeDecorator[dt.date]):
    """A date as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: Any) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Any) -> dt.date | None:
        return None if value is None else dt.date.fromisoformat(value)


class Instant(TypeDecorator[dt.datetime]):
    """A moment as ISO text in UTC, always with microseconds, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> dt.datetime | None:
        return None if value is None else dt.datetime.fromisoformat(value)


class Names(TypeDecorator[tuple[str, ...]]):
    """A few names as a JSON list, in their order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Any) -> str | None:
        return None if value is None else json.dumps(list(value))

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...] | None:
        return None if value is None else tuple(json.loads(value))


class Base(DeclarativeBase):
    """The store's tables; all of them strict in SQLite."""

    type_annotation_map = {  # noqa: RUF012
        str: Text,
        dt.date: Day,
        dt.datetime: Instant,
        tuple[str, ...]: Names,
    }


STRICT = {"sqlite_strict": True}


class Publication(Base):
    """One night's complete result; its folder holds what readers see."""

    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("as_of", "generation"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_key: Mapped[str] = mapped_column(unique=True)
    as_of: Mapped[dt.date]
    generation: Mapped[int]
    folder: Mapped[str] = mapped_column(unique=True)
    content_hash: Mapped[str]
    manifest_hash: Mapped[str]
    exit_code: Mapped[int]
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    created_at: Mapped[dt.datetime]


class Current(Base):
    """The one publication that readers see: a table of a single row."""

    __tablename__ = "current_publication"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))


class Flag(Base):
    """A child brought to a person's attention, from the first night until a review closes it.

    `version_id` is its newest row of `flag_version`; `place` its place on that night's worklist.
    """

    __tablename__ = "flag"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="flag_status"),
        CheckConstraint("raised_by IN ('rule', 'model', 'both')", name="flag_raised_by"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="flag_closed_when"),
        Index(
            "one_open_flag_per_person",
            "person_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
        ),
        Index("flag_on_worklist", "status", "place"),
        Index("flags_of_person", "person_id"),
        STRICT,
    )

    flag_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    status: Mapped[str]
    raised_by: Mapped[str]
    first_raised: Mapped[dt.date]
    last_matched: Mapped[dt.date]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None] = mapped_column(
        ForeignKey("review.review_id", use_alter=True, name="flag_closed_by")
    )
    version_id: Mapped[int | None] = mapped_column(Integer)
    place: Mapped[int | None] = mapped_column(Integer)


class FlagVersion(Base):
    """A flag as it stood in one publication.

    `starts` and `length` say where its line stands in that publication's flags.json, in bytes;
    `listed` is the part of the flag that a worklist shows, as JSON; `agencies` are those behind
    the reasons, each between bars; `new_records` counts those that are new. All are empty in rows
    older than step 0002 of the store. `team` is the responsible one, an empty text when none is
    recorded; it is empty in rows older than step 0006.
    """

    __tablename__ = "flag_version"
    __table_args__ = (
        UniqueConstraint("flag_id", "publication_id"),
        CheckConstraint("level IN ('urgent', 'soon', 'routine')", name="version_level"),
        CheckConstraint("status IN ('new', 'continuing')", name="version_status"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.flag_id"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), index=True)
    level: Mapped[str]
    status: Mapped[str]
    standing: Mapped[str]
    payload_hash: Mapped[str]
    starts: Mapped[int | None] = mapped_column(Integer)
    length: Mapped[int | None] = mapped_column(Integer)
    listed: Mapped[str | None]
    agencies: Mapped[str | None]
    new_records: Mapped[int | None] = mapped_column(Integer)
    team: Mapped[str | None]


class Reason(Base):
    """Why a flag stands: a rule or a theme of the model, and in which publications it held."""

    __tablename__ = "reason"
    __table_args__ = (UniqueConstraint("flag_id", "reason_id"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.flag_id"))
    reason_id: Mapped[str]
    source: Mapped[str]
    rule_version: Mapped[int | None]
    first_publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    last_publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))


class Evidence(Base):
    """A contact (one version of it) behind a reason."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("reason_pk", "contact_key", "version"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    reason_pk: Mapped[int] = mapped_column(ForeignKey("reason.id"))
    contact_key: Mapped[str]
    version: Mapped[int]
    first_publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))


class Review(Base):
    """A person's recorded decision on a flag: appended, never edited.

    `number` counts the reviews of one flag from 1; `amends` names a review that this one corrects
    and `second_look_of` one that it looks at again without having seen it. `draw` is a keyed random
    number below 10,000: the lowest are looked at again. `back_on` is the day promised for coming
    back, if one was. A field that may be empty was not asked before step 0002 of the store;
    `meaning` and `decision_label`, what the decision meant and was called, not before 0007.
    """

    __tablename__ = "review"
    __table_args__ = (
        Index("review_number", "flag_id", "number", unique=True),
        Index("one_second_look", "second_look_of", unique=True),
        Index("review_amended", "amends", sqlite_where=text("amends IS NOT NULL")),
        STRICT,
    )

    review_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.flag_id"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    number: Mapped[int] = mapped_column(Integer)
    shown_hash: Mapped[str]
    reviewer: Mapped[str]
    role: Mapped[str]
    decision: Mapped[str]
    meaning: Mapped[str | None]
    decision_label: Mapped[str | None]
    why: Mapped[str]
    worth_bringing: Mapped[str]
    amends: Mapped[str | None] = mapped_column(ForeignKey("review.review_id"))
    second_look_of: Mapped[str | None] = mapped_column(ForeignKey("review.review_id"))
    comes_back: Mapped[str]
    back_on: Mapped[dt.date | None]
    quiet_reason: Mapped[str]
    discussed_with: Mapped[str]
    first_thought: Mapped[str | None]
    sections_opened: Mapped[tuple[str, ...]]
    draw: Mapped[int | None] = mapped_column(Integer)
    opened_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime]


def meaning_of(review: Any) -> ColumnElement[str]:
    """The meaning of a review's decision in a query; `review` is Review or an alias of it."""
    return func.coalesce(review.meaning, case(MEANING, value=review.decision))


class Verdict(Base):
    """What a reviewer said of one reason (`problem`: what is wrong with it); appended only."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("review_id", "reason_id"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    review_id: Mapped[str] = mapped_column(ForeignKey("review.review_id"))
    reason_id: Mapped[str]
    verdict: Mapped[str]
    problem: Mapped[str | None]
    note: Mapped[str]
    contact_key: Mapped[str | None]


class ProblemStep(Base):
    """One step in answering a data problem, which is a verdict *wrong*; appended only."""

    __tablename__ = "problem_step"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    verdict_id: Mapped[int] = mapped_column(ForeignKey("verdict.id"), index=True)
    state: Mapped[str]
    note: Mapped[str]
    user: Mapped[str]
    at: Mapped[dt.datetime]


class Correction(Base):
    """A reader's word that a record is wrong, outside a review; appended only."""

    __tablename__ = "correction"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.flag_id"), index=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    contact_key: Mapped[str]
    problem: Mapped[str]
    note: Mapped[str]
    reporter: Mapped[str]
    role: Mapped[str]
    at: Mapped[dt.datetime]


class CorrectionStep(Base):
    """One step in answering a correction request; appended only."""

    __tablename__ = "correction_step"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("correction.id"), index=True)
    state: Mapped[str]
    note: Mapped[str]
    user: Mapped[str]
    at: Mapped[dt.datetime]


class PauseStep(Base):
    """Somebody paused riskflag, withdrew it or let it go on, and why; appended only."""

    __tablename__ = "pause_step"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str]
    reason: Mapped[str]
    user: Mapped[str]
    role: Mapped[str]
    at: Mapped[dt.datetime]


class Draft(Base):
    """Answers one person has typed about a flag and not sent yet; the only thing overwritten."""

    __tablename__ = "draft"
    __table_args__ = (STRICT,)

    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.flag_id"), primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[str]
    saved_at: Mapped[dt.datetime]


class Sitting(Base):
    """Somebody signed in to the web app: their token's hash, since when, and last seen when."""

    __tablename__ = "sitting"
    __table_args__ = (STRICT,)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str]
    began: Mapped[dt.datetime]
    seen: Mapped[dt.datetime]


class Audit(Base):
    """One link of the hash chain: who did what, when, about whom (a keyed pseudonym)."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_read_notice", "actor", sqlite_where=text("action = 'read_notice'")),
        STRICT,
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[str]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str | None] = mapped_column(index=True)
    detail_digest: Mapped[str]
    prev: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)

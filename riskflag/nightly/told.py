"""What is found of one child as bytes, so that another process may have found it.

A fault, or the reasons with the contacts behind them, or a whole flag with what the store keeps of
it. Reading gives the same values as were told; a flag's own bytes are those that are published.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from riskflag.casework.publishing import FlagRow, ReasonRow
from riskflag.nightly.faults import Fault
from riskflag.nightly.flag_lines import Files, Written, pack, unpack
from riskflag.nightly.joined import reason_ids, themes_of
from riskflag.nightly.lifecycle import Entry, Found
from riskflag.scoring.flags import FlagDraft

Row = dict[str, Any]

#: What a fault begins with, and nothing else does.
FAULT = b"fault "


def told_fault(error: Exception) -> bytes:
    """A fault that an exception tells of."""
    return FAULT + _bytes(asdict(Fault.of(error)))


def fault_of(told: bytes) -> Fault | None:
    """The fault that was told of, if it was one."""
    return Fault(**json.loads(told[len(FAULT) :])) if told.startswith(FAULT) else None


def told_found(
    made: Sequence[Row], newest: dt.date | None, behind: Mapping[str, Sequence[str]]
) -> bytes:
    """What is found of a draft: on a line of its own what `live` asks for, then all of it packed.

    `made` are its reasons, `newest` the newest known day of the contacts behind them, `behind` the
    contacts behind the signals that were looked up for them.
    """
    known = None if newest is None else newest.isoformat()
    all_of_it = _bytes([list(made), dict(behind)])
    head = {"ids": sorted(reason_ids(made)), "newest": known, "size": len(all_of_it)}
    return _bytes(head) + b"\n" + pack(all_of_it)


def found_of(told: bytes, draft: FlagDraft) -> Found:
    """What was found of a draft; its reasons stay packed."""
    head = json.loads(told[: told.index(b"\n")])
    newest = None if head["newest"] is None else dt.date.fromisoformat(head["newest"])
    return Found(draft, frozenset(head["ids"]), newest, told)


def reasons_of(told: bytes) -> tuple[list[Row], dict[str, list[str]]]:
    """The reasons that `told_found` told of, and the contacts behind signals."""
    head, packed = told.split(b"\n", 1)
    made, behind = json.loads(unpack(packed, json.loads(head)["size"]))
    return made, behind


def told_flag(flag: Row, written: Written, files: Files) -> bytes:
    """A flag: what lists and the store keep of it on a line of its own, then its packed bytes.

    `files` are its pages.
    """
    told = {**vars(written), "packed": None}
    kept = {"written": told, "reasons": list(_reasons(flag)), "files": dict(files)}
    return _bytes(kept) + b"\n" + written.packed


def flag_of(told: bytes, entry: Entry) -> tuple[Written, FlagRow, Files]:
    """The flag as it is published, what the store keeps of it, and its pages."""
    kept, packed = told.split(b"\n", 1)
    one = json.loads(kept)
    rules, themes = (tuple(one["written"][name]) for name in ("rules", "themes"))
    written = Written(**{**one["written"], "packed": packed, "rules": rules, "themes": themes})
    reasons = tuple(
        ReasonRow(name, source, version, tuple((key, number) for key, number in contacts))
        for name, source, version, contacts in one["reasons"]
    )
    return written, _row(entry, written.digest, reasons), one["files"]


def _row(entry: Entry, digest: str, reasons: tuple[ReasonRow, ...]) -> FlagRow:
    return FlagRow(
        flag_id=entry.flag_id,
        person_id=entry.person_id,
        level=entry.level,
        status=entry.status,
        standing=entry.standing,
        raised_by=entry.raised_by,
        first_raised=entry.first_raised,
        last_matched=entry.last_matched,
        payload_hash=digest,
        reasons=reasons,
    )


def _reasons(flag: Row) -> Iterator[tuple[str, str, int | None, list[tuple[str, int]]]]:
    """Each reason with its contacts; what was joined to a rule is kept under its own id too."""
    versions = {contact["contact_key"]: contact["version"] for contact in flag["contacts"]}
    for reason in flag["reasons"]:
        contacts = [(key, versions[key]) for key in reason["contact_keys"]]
        rule = reason["rule"]
        number = None if rule is None else rule["version"]
        yield reason["reason_id"], reason["source"], number, contacts
        for other in reason["also"]:
            yield f"rule:{other['id']}", "rule", other["version"], contacts
        for theme in themes_of(reason):
            if f"model:{theme}" != reason["reason_id"]:
                yield f"model:{theme}", reason["source"], None, contacts


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()

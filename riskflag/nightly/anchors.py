"""Anchors: the end of the audit chain at each publication, kept outside the database.

Somebody who owns the database can cut the chain's end or write all of it anew; the anchors then
no longer fit. Copy `anchors.jsonl` to a place the database's owner cannot write.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from riskflag.casework.audit import Head
from riskflag.nightly import steps

NAME = "anchors.jsonl"


def append(publications: Path, run_key: str, end: Head) -> None:
    """Add the chain's end at one publication, durably; a publication is anchored once."""
    if any(key == run_key for key, _ in read(publications)):
        return
    line = json.dumps({"run_key": run_key, "seq": end.seq, "hash": end.hash}, sort_keys=True)
    path = publications / NAME
    path.touch(mode=0o600)
    with path.open("r+b") as handle:
        handle.truncate(len(_whole(handle.read())))
        handle.seek(0, os.SEEK_END)
        handle.write(f"{line}\n".encode())
        handle.flush()
        os.fsync(handle.fileno())
    steps.reached("anchor")


def read(publications: Path) -> list[tuple[str, Head]]:
    """Every anchor, oldest first; a last line that a crash cut short does not count."""
    try:
        whole = _whole((publications / NAME).read_bytes())
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in whole.splitlines()]
    return [(entry["run_key"], Head(entry["seq"], entry["hash"])) for entry in found]


def _whole(data: bytes) -> bytes:
    """Everything up to the last end of line: what follows was cut short by a crash."""
    return data[: data.rfind(b"\n") + 1]

"""What a page has at hand: the store, the workspace, who is reading, and the record of the look."""

from __future__ import annotations

from collections.abc import Sequence

from flask import abort, current_app

from riskflag.casework.decisions import Answers, load_answers
from riskflag.casework.looks import LookBook
from riskflag.casework.store import Store
from riskflag.casework.users import User
from riskflag.web.gate import needs, sitting
from riskflag.web.line import Line
from riskflag.workspace import Workspace

__all__ = ["answers", "look", "looks", "needs", "store", "user", "workspace"]


def store() -> Store:
    """The open store; threads share its pool of connections."""
    found: Store = current_app.extensions["riskflag_store"]
    return found


def workspace() -> Workspace:
    """The workspace whose pages these are."""
    found: Workspace = current_app.extensions["riskflag_workspace"]
    return found


def answers() -> Answers:
    """What a reviewer of this workspace may answer: its own list or the shipped one."""
    return load_answers(workspace())


def user() -> User:
    """Who is signed in; 403 when nobody is."""
    now = sitting()
    if now is None:
        abort(403)
    return now.user


def look(flag_or_person: str, action: str) -> None:
    """Record that this user looks at a child, committed before the page is made (law 10).

    `flag_or_person` is a flag's number or a person's id; `action` says what is looked at, in one
    word such as `read_flag`. Raises InputError when there is no such flag, and StorageError when
    the entry cannot be written: then there is no page.
    """
    looks([flag_or_person], action)


def looks(flags_or_people: Sequence[str], action: str) -> None:
    """Record one look at each child of a list, all in one transaction."""
    book: LookBook = current_app.extensions["riskflag_looks"]
    line: Line = current_app.extensions["riskflag_line"]
    name = user().name
    with line.aside():
        book.record(actor=name, action=action, subjects=flags_or_people)

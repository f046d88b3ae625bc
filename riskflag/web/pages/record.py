"""One record: what it says, what its kind means, where it comes from, what it said before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from riskflag.history.vocabulary import load_vocabulary
from riskflag.nightly.chronologies import flag_and_records
from riskflag.reports import flag_page
from riskflag.reports.links import Links
from riskflag.reports.record_page import record_page
from riskflag.web import desk

blueprint = Blueprint("record", __name__)

LOOK = "read_record"


@blueprint.get("/flag/<flag_id>/record/<ref>")
@desk.needs("read_flags")
def record(flag_id: str, ref: str) -> ResponseReturnValue:
    """One record of the flag's child; `ref` is its key."""
    desk.look(flag_id, LOOK)
    flag, contacts = flag_and_records(desk.workspace(), desk.store(), flag_id)
    contact = _of(contacts, ref)
    page = flag_page.view(flag)
    meaning = meanings(desk.workspace().root / "vocabulary.toml").get(contact["type"], "")
    return render_template(
        "record.html",
        page=page,
        go=Links(flag_id),
        one=record_page(contact, flag, page, meaning=meaning),
    )


@lru_cache(maxsize=4)
def meanings(own: Path) -> Mapping[str, str]:
    """The definition of every contact type, those of the workspace's own vocabulary too."""
    return {name: kind.meaning for name, kind in load_vocabulary(own).types.items()}


def _of(contacts: list[dict[str, Any]], ref: str) -> dict[str, Any]:
    """The contact with this key among those of this child; 404 for any other."""
    found = next((one for one in contacts if one["contact_key"] == ref), None)
    if found is None:
        abort(404)
    return found

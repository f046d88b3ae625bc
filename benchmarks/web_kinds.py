"""Every kind of page that readers ask for, and the review that they record."""

from __future__ import annotations

import random

from benchmarks.web_load import Form, Kind, Reader
from riskflag.casework import data_problems, publishing
from riskflag.casework.store import Store, open_store
from riskflag.nightly.published import published_flag, worklist_page
from riskflag.workspace import Workspace

#: The history holds the children of the first flags only: it needs fewer copies.
IN_HISTORY = 5_000
#: How many different flags are asked for: far more than anything could be kept of by chance.
SOME = 300
ANSWERS = {
    "decision": "nothing_further",
    "why": "A made-up reason, for measuring only.",
    "worth_bringing": "knew_most",
    "do": "continue",
}


def kinds(workspace: Workspace, *, reviewed: int, some: int = SOME) -> list[Kind]:
    """Every kind of page with addresses drawn from the whole publication.

    Of the flags, `reviewed` are kept apart for the reviews that are recorded.
    """
    store = open_store(workspace, create=False)
    chance = random.Random(1)
    last = worklist_page(store).pages
    pages = sorted({chance.randint(1, last) for _ in range(max(some, reviewed // 10))})
    lines = [line for page in pages for line in worklist_page(store, page=page).lines]
    drawn = [line.flag_id for line in chance.sample(lines, min(some + reviewed, len(lines)))]
    ids = drawn[:some]
    found = [
        *_lists(pages),
        *_of_flags(ids),
        _records(workspace, store, ids, chance),
        *_of_others(store),
        *_look_backs(store, drawn, some),
        *_reviews(drawn[some:]),
    ]
    store.close()
    return found


def _lists(pages: list[int]) -> list[Kind]:
    filters = ("agency=police", "reason=rule%3Arepeat_domestic_abuse", "only=new&only=unread")
    return [
        Kind("empty page", "caseworker", ["/help"]),
        Kind("worklist, first page", "caseworker", ["/worklist"]),
        Kind("worklist, any page", "caseworker", [f"/worklist?page={page}" for page in pages]),
        Kind("worklist, filtered", "caseworker", [f"/worklist?{one}" for one in filters]),
    ]


def _of_flags(ids: list[str]) -> list[Kind]:
    of_flags = {
        "flag": ("caseworker", ""),
        "all records": ("caseworker", "/records"),
        "all records, one agency": ("caseworker", "/records?agency=police"),
        "review form": ("caseworker", "/review"),
        "past reviews": ("caseworker", "/reviews"),
        "report of contributions": ("analyst", "/report"),
    }
    return [
        Kind(name, role, [f"/flag/{one}{ending}" for one in ids])
        for name, (role, ending) in of_flags.items()
    ]


def _records(workspace: Workspace, store: Store, ids: list[str], chance: random.Random) -> Kind:
    """The evidence behind a reason: one of its records."""
    paths = []
    for flag_id in ids:
        contacts = published_flag(workspace, store, flag_id)["contacts"]
        paths.append(f"/flag/{flag_id}/record/{chance.choice(contacts)['contact_key']}")
    return Kind("one record", "caseworker", paths)


def _of_others(store: Store) -> list[Kind]:
    told = [f"/data-problems/{one.problem_id}" for one in data_problems.open_problems(store)]
    return [
        Kind("second look", "senior", ["/second-look"]),
        Kind("data problems", "steward", ["/data-problems"]),
        Kind("one data problem", "steward", told[:SOME]),
        Kind("team overview", "manager", ["/team", "/team?team=all"]),
        Kind("alert health", "manager", ["/alert-health"]),
        Kind("pause", "owner", ["/pause"]),
        Kind("how this works", "caseworker", ["/how-this-works"]),
    ]


def _look_backs(store: Store, drawn: list[str], some: int) -> list[Kind]:
    now = publishing.current(store)
    assert now is not None
    later = f"?to={now.as_of.replace(year=now.as_of.year + 1).isoformat()}"
    early = [one for one in drawn if int(one[-6:]) < IN_HISTORY][:some]
    gone = [
        one.flag_id
        for one in publishing.state(store, now.as_of).closed_flags
        if publishing.publication_of(store, one.flag_id) != now
    ]
    return [
        Kind("look-back", "manager", [f"/flag/{one}/lookback" for one in early]),
        Kind(
            "look-back past the last night",
            "manager",
            [f"/flag/{o}/lookback{later}" for o in early],
        ),
        Kind("look-back at a closed flag", "manager", [f"/flag/{one}/lookback" for one in gone]),
    ]


def _reviews(ids: list[str]) -> list[Kind]:
    """The steps of a review, each as the page before leaves it."""
    half = len(ids) // 2
    paths = [f"/flag/{one}/review" for one in ids]
    return [
        Kind("review, answers sent", "caseworker", paths[:half], _answered),
        Kind(
            "review, answers checked", "caseworker", paths[:half], lambda _, path: f"{path}/check"
        ),
        Kind("review, recorded", "caseworker", paths[:half], _checked),
        Kind("review, as recorded", "caseworker", paths[half:], _recorded),
    ]


def _answered(reader: Reader, path: str) -> Form:
    return reader.form(path, path, ANSWERS)


def _checked(reader: Reader, path: str) -> Form:
    return reader.form(f"{path}/check", f"{path}/check", {"do": "save"})


def _recorded(reader: Reader, path: str) -> str:
    reader.post(_answered(reader, path))
    reader.post(_checked(reader, path))
    return reader.location

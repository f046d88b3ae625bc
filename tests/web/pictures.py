"""The documentation's pictures of the app's pages: `python -m tests.web.pictures WORKSPACE`.

WORKSPACE is a finished demo's (`riskflag demo --children 4000`); it is copied first. Everybody in
the pictures is made up, and so is what they are seen to write.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from riskflag.casework import data_problems, policies
from riskflag.casework.reviews import NewReview, ReasonVerdict, record_review
from riskflag.casework.users import User
from riskflag.cli.init import write_users
from riskflag.clock import moment
from riskflag.reports.links import Links
from riskflag.web.app import create_app
from riskflag.workspace import Workspace
from tests.functional.browser import browser
from tests.functional.pictures import IMAGES, _smaller

WORDS = (
    "The school nurse knows this family well and sees them on Monday.",
    "Already open to the family support team; the worker has a visit booked.",
    "I asked the school: the absences were a long illness, with letters.",
    "Two of the records are about the same visit.",
    "Nobody I could reach has seen the child this month.",
)
WHY = "I rang the school. The child says home is loud, and would like to talk to somebody."
STEWARD = User("data steward 1", "steward", "Data office")
#: Pages of which the picture shows the beginning.
LONG = frozenset({"team.png", "alert-health.png", "lookback.png"})
WORKERS = ("duty worker 1", "duty worker 2", "locality worker 1")


def fill(store, flags: list[dict]) -> str:
    """Reviews as a team might have written them, and a steward's answers to some of them.

    Returns a flag with such an answer.
    """
    dice = random.Random(4)
    for flag in flags:
        verdicts = tuple(_verdict(dice, reason) for reason in flag["reasons"])
        record_review(
            store,
            NewReview(
                flag["flag_id"],
                dice.choice(WORKERS),
                "caseworker",
                dice.choice(policies.DECISIONS),
                dice.choice(WORDS),
                dice.choice(("new_to_me", "knew_most", "knew_most", "no")),
                moment(),
                verdicts=verdicts,
                discussed_with=dice.choice(("", "Team manager")),
            ),
        )
    for one in data_problems.open_problems(store)[:2]:
        note = "The hospital confirmed it and will send a correction."
        data_problems.answer(store, one.problem_id, STEWARD, "corrected", note)
    return data_problems.answered_problems(store)[0].flag_id


def _verdict(dice: random.Random, reason: dict) -> ReasonVerdict:
    if dice.random() < 0.06 and reason["contact_keys"]:
        key = reason["contact_keys"][0]
        return ReasonVerdict(
            reason["reason_id"], "wrong", problem="duplicate", note="Sent twice.", contact_key=key
        )
    return ReasonVerdict(reason["reason_id"], dice.choice(("important", "known", "not_relevant")))


def sign_in(page, base: str, name: str) -> None:
    """Sign in as a person would."""
    page.goto(f"{base}/sign-in")
    page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Sign in").click()
    if "/before-you-start" in page.url:
        page.get_by_role("button", name="I have read this").click()


def take(page, name: str, height: int | None = None) -> Path:
    """One picture; without a height it is as long as the page."""
    path = IMAGES / name
    page.evaluate("window.scrollTo(0, 0)")
    size = page.viewport_size
    box = {"x": 0, "y": 0, "width": size["width"], "height": height} if height else None
    page.screenshot(path=str(path), full_page=True, clip=box)
    _smaller(path)
    return path


def reviewer(page, base: str, flag_id: str) -> None:
    """The form, its answers, and the saved review of one flag."""
    page.goto(f"{base}/flag/{flag_id}/review")
    page.get_by_label("Why?").fill(WHY)
    page.get_by_label("Talk to a colleague or another agency").check()
    page.get_by_label("Yes, I knew most of it").check()
    page.locator("input[name^=verdict_][value=important]").first.check()
    take(page, "review-form.png", 1500)
    page.get_by_role("button", name="Continue").click()
    take(page, "review-check.png")
    page.get_by_role("button", name="Save my review").click()
    take(page, "review-saved.png")


def reader(page, base: str, flag: dict) -> None:
    """All records of a child behind one pattern, and one of them."""
    reason = max(flag["reasons"], key=lambda one: len(one["contact_keys"]))
    page.goto(base + Links(flag["flag_id"]).behind(reason["reason_id"]))
    take(page, "all-records.png", 1300)
    page.goto(base + Links(flag["flag_id"]).record(reason["contact_keys"][0]))
    take(page, "one-record.png", 1500)


def make(base: str, running, flags: list[dict], answered: str) -> None:
    """All pictures: the caseworker's on a desk and a phone, the manager's, and the owner's."""
    wide, narrow = {"width": 1200, "height": 900}, {"width": 360, "height": 800}
    page = running.new_context(viewport=wide).new_page()
    sign_in(page, base, "duty worker 1")
    page.goto(f"{base}/worklist")
    take(page, "my-reviews.png", 1200)
    reader(page, base, flags[3])
    reviewer(page, base, flags[3]["flag_id"])
    page.goto(f"{base}/flag/{answered}/reviews")
    take(page, "past-reviews.png")
    phone = running.new_context(viewport=narrow).new_page()
    sign_in(phone, base, "duty worker 2")
    phone.goto(f"{base}/worklist")
    take(phone, "my-reviews-phone.png", 1300)
    phone.goto(f"{base}/flag/{flags[4]['flag_id']}/review")
    take(phone, "review-form-phone.png", 1500)
    for name, path, picture in (
        ("team manager 1", "/team", "team.png"),
        ("governance lead 1", "/alert-health", "alert-health.png"),
        ("data steward 1", "/data-problems", "data-problems.png"),
        ("responsible owner 1", "/pause", "pause.png"),
        ("team manager 1", f"/flag/{flags[3]['flag_id']}/lookback", "lookback.png"),
    ):
        page = running.new_context(viewport=wide).new_page()
        sign_in(page, base, name)
        page.goto(base + path)
        take(page, picture, 1500 if picture in LONG else None)


def main(source: Path) -> None:
    """Copy the workspace, fill and serve it, and take the pictures."""
    from waitress.server import create_server

    with tempfile.TemporaryDirectory() as scratch, browser() as running:
        copy = Path(scratch) / "workspace"
        shutil.copytree(source, copy)
        write_users(copy / "users.toml")
        app = create_app(Workspace.open(copy), development_sign_in=True)
        folder = copy / "publications" / (copy / "publications" / "CURRENT").read_text().strip()
        flags = json.loads((folder / "flags.json").read_text(encoding="utf-8"))
        answered = fill(app.extensions["riskflag_store"], flags[10:110])
        server = create_server(app, host="127.0.0.1", port=0, threads=4, ident=None)
        threading.Thread(target=server.run, daemon=True).start()
        make(f"http://127.0.0.1:{server.effective_port}", running, flags, answered)
        server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Two reviewers at one flag in every order of their steps: nothing lost, and the slower is told."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from riskflag.casework.drafts import draft_of
from riskflag.casework.kept_reviews import is_open
from riskflag.casework.reviews import reviews_of
from tests.web.reviewing import Reviewer, flags_of, hidden, said, sign_in_as

PEOPLE = ("duty worker 1", "duty worker 2")
DECISIONS = ("talk_to_colleague", "contact_family", "unsure", "refer", "nothing_further")
SHORT, ALL = 10, 200


@dataclass
class Hand:
    """One reviewer's window: what it shows, what was typed in it, and what was acknowledged."""

    reviewer: Reviewer
    name: str
    round: str
    page: str = ""
    checked: str = ""
    typed: str = ""
    saved: list[str] = field(default_factory=list)
    told: int = 0

    def open(self) -> None:
        found = reviews_of(self.reviewer.desk.store, self.reviewer.flag_id)
        closed = found and not is_open(self.reviewer.desk.store, self.reviewer.flag_id)
        self.page = self.reviewer.open(f"?amend={found[-1].review_id}" if closed else "")

    def send(self, decision: str, do: str) -> None:
        if 'name="opening"' not in self.page:
            return self.open()
        text = f"{self.round}: {self.name} has thought about {len(self.saved)} and {do}."
        answer = self.reviewer.send(
            self.page, decision=decision, why=text, worth_bringing="no", do=do
        )
        assert answer.status_code == 303, said(answer.text)
        self.typed = text
        return None

    def check(self) -> None:
        answer = self.reviewer.desk.get(f"{self.reviewer.at}/check")
        self.checked = answer.text if answer.status_code == 200 else ""

    def press(self) -> None:
        if not self.checked:
            return self.check()
        data = {"do": "save", **hidden(self.checked)}
        answer = self.reviewer.desk.client.post(f"{self.reviewer.at}/check", data=data)
        if answer.status_code == 409:
            self.told += 1
            assert self.typed in said(answer.text)
        elif "/review/saved" in (answer.location or ""):
            self.saved.append(answer.location.rsplit("=", 1)[1])
            self.typed = self.checked = self.page = ""
        return None


def walk(dice: random.Random, hands: list[Hand]) -> None:
    """Fourteen steps by chance, now of the one, now of the other."""
    for hand in hands:
        hand.open()
    for _ in range(14):
        hand = dice.choice(hands)
        step = dice.choice(("open", "send", "keep", "check", "press", "press"))
        if step in ("send", "keep"):
            hand.send(dice.choice(DECISIONS), "continue" if step == "send" else "keep")
        else:
            {"open": hand.open, "check": hand.check, "press": hand.press}[step]()


def nothing_is_lost(store, flag_id: str, hands: list[Hand], before: int) -> None:
    """Acknowledged is recorded, once; what was typed last is recorded or is the person's draft."""
    found = reviews_of(store, flag_id)
    assert [review.number for review in found] == list(range(1, len(found) + 1))
    acknowledged = {number for hand in hands for number in hand.saved}
    assert {review.review_id for review in found[before:]} == acknowledged
    for hand in hands:
        if hand.typed:
            draft = draft_of(store, flag_id, hand.name)
            assert draft is not None
            assert draft.answers["answers"]["why"] == hand.typed


@pytest.mark.parametrize("seeds", [SHORT, pytest.param(ALL, marks=pytest.mark.long)])
def test_no_interleaving_of_two_reviewers_loses_anything(app, web_workspace, seeds):
    """Open, send, keep, check and save in random orders; conflicts are told and come about."""
    store, flags = app.extensions["riskflag_store"], flags_of(web_workspace)
    saved = told = 0
    desks = {name: sign_in_as(app, name) for name in PEOPLE}
    for desk in desks.values():
        desk.store = store
    for seed in range(seeds):
        flag_id = flags[seed % len(flags)]["flag_id"]
        before = len(reviews_of(store, flag_id))
        hands = [
            Hand(Reviewer(desks[name], flag_id), name, f"Round {seeds}-{seed}") for name in PEOPLE
        ]
        walk(random.Random(seed), hands)
        nothing_is_lost(store, flag_id, hands, before)
        saved += sum(len(hand.saved) for hand in hands)
        told += sum(hand.told for hand in hands)
    assert saved > seeds / 2
    assert told > seeds / 20, "too few conflicts came about for the test to mean much"


def test_the_walk_notices_when_conflicts_are_not_told(app, web_workspace, monkeypatch):
    """Negative control: with the check for conflicts taken out, the same walk does not pass."""
    from riskflag.casework import reviews

    monkeypatch.setattr(reviews, "_refuse_conflict", lambda *_: None)
    with pytest.raises(AssertionError, match="too few conflicts"):
        test_no_interleaving_of_two_reviewers_loses_anything(app, web_workspace, SHORT)

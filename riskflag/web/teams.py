"""Whose flags a page shows: the reader's own team's at first, and any other's as they choose."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request

from riskflag.nightly.published import Filters, count_waiting, teams_waiting
from riskflag.web import desk, kept

#: What an address says of the team besides `team:NAME`.
ALL, NONE, NAMED = "all", "none", "team:"
WORDS = {ALL: "All teams", NONE: "No team recorded"}


@dataclass(frozen=True)
class Teams:
    """The choice of one request.

    `choices` has what can be asked for with its words, empty when no waiting flag names a team;
    `asked` is what holds and `usual` what holds when nothing is asked. `unnamed` counts the waiting
    flags without a team; `mine` is the reader's own team.
    """

    choices: dict[str, str]
    asked: str
    usual: str
    unnamed: int
    mine: str

    @property
    def filter(self) -> str | None:
        """The team to list, an empty text for none recorded, None for all."""
        return {ALL: None, NONE: ""}.get(self.asked, self.asked.removeprefix(NAMED))

    @property
    def said(self) -> str:
        """Whose flags are shown, in words; nothing when no flag names a team."""
        if not self.choices:
            return ""
        if self.asked == NAMED + self.mine:
            return f"These are the flags of your team, {self.mine}."
        if self.asked == NONE:
            return "These are the flags without a team recorded."
        if self.asked != ALL:
            return f"These are the flags of {self.choices[self.asked]}."
        if self.usual == ALL:
            return f"No waiting flag names your team, {self.mine}, so all teams are shown."
        return "These are the flags of all teams."

    @property
    def others(self) -> tuple[tuple[str, str], ...]:
        """Where else to look: value and words of each link."""
        links = [(ALL, WORDS[ALL])]
        if self.usual != ALL:
            links.insert(0, (self.usual, f"Only your team, {self.mine}"))
        if self.unnamed and self.asked != ALL:
            links.append((NONE, f"{WORDS[NONE]} ({self.unnamed:,})"))
        return tuple((value, text) for value, text in links if value != self.asked)


def teams() -> Teams:
    """What this request asks for; the reader's own team when it asks for none that is on offer."""
    named = kept.for_publication("teams", lambda _: teams_waiting(desk.store()))
    mine = desk.user().team
    choices = {ALL: WORDS[ALL], **{NAMED + team: team for team in named}, NONE: WORDS[NONE]}
    usual = NAMED + mine if NAMED + mine in choices else ALL
    asked = request.args.get("team", usual)
    orders = current_app.extensions["riskflag_orders"]
    unnamed = count_waiting(desk.store(), Filters(team=""), orders)
    return Teams(
        choices if named else {},
        asked if named and asked in choices else usual,
        usual,
        unnamed,
        mine,
    )

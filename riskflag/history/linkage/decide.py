"""From the probability of a pair to a decision: linked, for a steward, or not linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from riskflag.history.linkage.model import LinkageModel
from riskflag.history.store.matches import AUTO, NOT, WAITING

#: What keeps a pair from being linked without a person, in the steward's words.
DOUBTS = {
    "given_name": "the given names differ",
    "twins": "the given names differ by a letter or so, as those of twins may",
    "no_given_name": "one record has no given name, so twins cannot be told apart",
    "birth": "the birth dates differ",
    "no_birth": "one record has no birth date",
    "assumed_birth": "both births are put down as 1 January, and the places differ",
    "family_name": "the family names differ and nothing else tells the two apart",
    "identifier": "the two carry different identifiers of one kind",
    "several": "the record is also like another person",
    "taken": "another record of the same feed is this person already",
    "one_feed": "one feed or register holds both, each under a number of its own",
    "names_of_one": "the two hold one identifier, and their names or birth dates differ",
}


def decide(pairs: pa.Table, model: LinkageModel, feeds: Mapping[str, str]) -> pa.Table:
    """Pairs of two feeds (linkage.Compared.pairs) with `decision` and `doubts` (blank-separated).

    `feeds` names the feed of each record: a record is linked to one person of another feed only,
    and one person to one record of a feed.
    """
    probability = pairs.column("probability").to_numpy()
    doubts = [_doubts(row) for row in pairs.select(_LEVELS).to_pylist()]
    _rivals(pairs, feeds, model, doubts)
    decisions = [
        NOT if p < model.ask_from else AUTO if p >= model.link_from and not why else WAITING
        for p, why in zip(probability.tolist(), doubts, strict=True)
    ]
    return _decided(pairs, decisions, doubts)


def decide_within(pairs: pa.Table, model: LinkageModel) -> pa.Table:
    """The same for pairs of one feed, in which every person should stand once: never linked.

    A steward is asked only where two feeds would have been linked but for a doubt, and not about
    brothers, sisters and twins, whom every feed holds.
    """
    rows = pairs.select(["probability", *_LEVELS]).to_pylist()
    decisions = [
        WAITING if row["probability"] >= model.link_from and _perhaps_twice(row) else NOT
        for row in rows
    ]
    return _decided(pairs, decisions, [["one_feed", *_doubts(row)] for row in rows])


def _perhaps_twice(levels: Mapping[str, str]) -> bool:
    """Whether two records of one feed may be one person: names and birth alike.

    A birth that is not known needs the same home.
    """
    if levels["given_name"] in ("", "other") or levels["birth"] == "other":
        return False
    return levels["birth"] != "" or levels["place"] in ("same", "near")


def _decided(pairs: pa.Table, decisions: list[str], doubts: list[list[str]]) -> pa.Table:
    return pairs.append_column("decision", pa.array(decisions, pa.string())).append_column(
        "doubts", pa.array([" ".join(why) for why in doubts], pa.string())
    )


_LEVELS = ["given_name", "family_name", "birth", "place", "identifier"]


def _doubts(levels: Mapping[str, str]) -> list[str]:
    """What a probability cannot weigh: above all that twins share everything but a given name."""
    found = []
    # Two sound NHS numbers are never a slip apart, so a slip never makes one twin's the other's.
    numbered = levels["identifier"] in ("same", "close")
    if levels["given_name"] == "other" or (
        levels["given_name"] in ("half", "similar") and not numbered
    ):
        found.append("given_name")
    if levels["given_name"] == "close" and not numbered:
        found.append("twins")
    if levels["given_name"] == "" and not numbered:
        found.append("no_given_name")
    if levels["birth"] == "other" and not numbered:
        found.append("birth")
    if levels["birth"] == "" and not numbered:
        found.append("no_birth")
    here = levels["place"] in ("same", "near")
    if levels["birth"] == "new_year" and not here and not numbered:
        found.append("assumed_birth")
    if levels["family_name"] == "other" and not here and not numbered:
        found.append("family_name")
    if levels["identifier"] == "other" and not (here and _same_name_and_birth(levels)):
        found.append("identifier")
    return found


def _same_name_and_birth(levels: Mapping[str, str]) -> bool:
    names = {levels["given_name"], levels["family_name"]}
    return names <= {"same", "close", "exchanged", "half"} and levels["birth"] in (
        "same",
        "new_year",
    )


def _rivals(
    pairs: pa.Table, feeds: Mapping[str, str], model: LinkageModel, doubts: list[list[str]]
) -> None:
    """Add the doubt `several` where a record is like several people of one feed.

    All but the likeliest get it, and the likeliest too unless it is so by far: a twin of another
    name is no rival, a second record of the very same name and birth is.
    """
    names = pairs.select(["left", "right"]).to_pylist()
    weight = pairs.column("weight").to_numpy()
    likely = pairs.column("probability").to_numpy() >= model.ask_from
    partners: dict[tuple[str, str], list[int]] = {}
    for row in np.flatnonzero(likely).tolist():
        pair = names[row]
        for mine, other in (("left", "right"), ("right", "left")):
            partners.setdefault((pair[mine], feeds[pair[other]]), []).append(row)
    for rows in partners.values():
        best, *others = sorted(rows, key=lambda row: -weight[row])
        rivals = [row for row in others if "twins" not in doubts[row]]
        close = rivals and weight[best] - weight[rivals[0]] < np.log2(model.clear_by)
        _doubt([best, *others] if close else others, doubts)


def _doubt(rows: Sequence[int], doubts: list[list[str]]) -> None:
    for row in rows:
        if "several" not in doubts[row]:
            doubts[row].append("several")

"""From the probability of a pair to a decision: linked, for a steward, or not linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from riskflag.history.linkage_model import LinkageModel
from riskflag.history.matches import AUTO, NOT, WAITING

#: What keeps a pair from being linked without a person, in the steward's words.
DOUBTS = {
    "given_name": "the given names differ",
    "no_given_name": "one record has no given name, so twins cannot be told apart",
    "birth": "the birth dates differ",
    "no_birth": "one record has no birth date",
    "assumed_birth": "both births are put down as 1 January, and the places differ",
    "family_name": "the family names differ and nothing else tells the two apart",
    "identifier": "the two carry different identifiers of one kind",
    "several": "the record is also like another person",
    "taken": "another record of the same feed is this person already",
    "names_of_one": "the two hold one identifier, and their names or birth dates differ",
}


def decide(pairs: pa.Table, model: LinkageModel, feeds: Mapping[str, str] | None) -> pa.Table:
    """The pairs (linkage.Compared.pairs) with `decision` and `doubts` (names, blank-separated).

    `feeds` names the feed of each record: a record is then linked to one person of another feed
    only, and one person to one record of a feed. None: any number of records may be one person.
    """
    probability = pairs.column("probability").to_numpy()
    doubts = [_doubts(row) for row in pairs.select(_LEVELS).to_pylist()]
    if feeds is not None:
        _rivals(pairs, feeds, model, doubts)
    decisions = [
        NOT if p < model.ask_from else AUTO if p >= model.link_from and not why else WAITING
        for p, why in zip(probability.tolist(), doubts, strict=True)
    ]
    return pairs.append_column("decision", pa.array(decisions, pa.string())).append_column(
        "doubts", pa.array([" ".join(why) for why in doubts], pa.string())
    )


_LEVELS = ["given_name", "family_name", "birth", "place", "identifier"]


def _doubts(levels: Mapping[str, str]) -> list[str]:
    """What a probability cannot weigh: above all that twins share everything but a given name."""
    found = []
    numbered = levels["identifier"] == "same"
    if levels["given_name"] == "other" or (
        levels["given_name"] in ("half", "similar") and not numbered
    ):
        found.append("given_name")
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
        close = others and weight[best] - weight[others[0]] < np.log2(model.clear_by)
        _doubt([best, *others] if close else others, doubts)


def _doubt(rows: Sequence[int], doubts: list[list[str]]) -> None:
    for row in rows:
        if "several" not in doubts[row]:
            doubts[row].append("several")

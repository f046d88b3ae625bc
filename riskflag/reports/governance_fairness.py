"""The fairness report: is the list as good for one group as for another?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskflag.reports.documents import Block, Document, Points, Section, Table, section
from riskflag.reports.governance_words import interval, percent, sentences, title
from riskflag.training.judging.gate_figures import LEVEL, LISTED, MISSED, PROXIES
from riskflag.training.promotion.governance import Evidence

OF_KIND = "missed_cases_by_"
#: The rates of a group: as recorded, the heading, out of how many, digits. The level is a factor.
RATES = (
    ("missed", "missed, of 100 who had the outcome", 100, 0),
    ("false_alarms", "listed for nothing, of 1,000 others", 1000, 1),
    ("precision", "had the outcome, of 100 listed", 100, 0),
    ("foretold_over_observed", "foretold for each observed", 1, 2),
)
TOO_FEW = "too few to tell"


def fairness(evidence: Evidence) -> Document:
    """Errors, level and list by group, proxies, what group lines would cost, and the gates."""
    kinds = [c for c in evidence.checks("fairness") if c["name"].startswith(OF_KIND)]
    parts = [_summary(evidence), _terms()]
    parts += [_of_kind(evidence, one) for one in kinds]
    parts += [_proxies(evidence), _lines(evidence)]
    return Document(
        "fairness",
        "Fairness report",
        f"How the list of the model {evidence.id} treats groups of children. Protected "
        "characteristics are read only to judge the list; they are never inputs.",
        tuple(parts),
    )


def _summary(evidence: Evidence) -> Section:
    wanted = {MISSED, LISTED, LEVEL, PROXIES}
    rows = tuple(
        (g.name, g.measured, g.verdict if g.signed_off is None else _signed(g.signed_off))
        for g in evidence.gates
        if g.name in wanted
    )
    return section(
        "In short",
        Table("Gates on fairness", ("gate", "measured", "verdict"), rows),
    )


def _signed(by: Any) -> str:
    return f"signed off by the {by.role}: {by.reason}"


def _terms() -> Section:
    return section(
        "How to read it",
        Points(
            (
                "Missed: of the child-months in which the outcome came, the share not on a list as "
                "long as the team can work.",
                "Listed for nothing: of the child-months without the outcome, the share on it.",
                "A gap is clear when chance among so many groups rarely makes one as large. Where "
                "it is not clear, equal treatment is not proved either.",
                "A group of fewer than ten children is told together with others, and a rate that "
                "rests on fewer than ten is not told.",
                "The outcome is what agencies did. If a group was looked at more, or was helped "
                "less, in the past, no figure here shows it.",
            )
        ),
    )


def _of_kind(evidence: Evidence, check: Mapping[str, Any]) -> Section:
    kind = check["name"].removeprefix(OF_KIND)
    same = [one for one in evidence.checks("fairness") if one["name"].endswith(f"_by_{kind}")]
    same = [one for one in same if not one["name"].startswith("cost_of_lines")]
    heads = ("group", "children", "of all", "of the list", *(rate[1] for rate in RATES))
    rows = tuple(_group(row) for row in check["table"])
    blocks: list[Block] = [sentences(f"Checks by {kind.replace('_', ' ')}", same)]
    if rows:
        blocks.append(Table(f"By {kind.replace('_', ' ')}", heads, rows))
    return section(f"By {kind.replace('_', ' ')}", *blocks)


def _group(row: Mapping[str, Any]) -> tuple[str, ...]:
    def rate(name: str, of: int, digits: int) -> str:
        told = row[name]
        if told["value"] is None:
            return TOO_FEW
        return interval({k: None if v is None else of * v for k, v in told.items()}, digits)

    share = row["share_of_list"]
    return (
        str(row["group"]),
        TOO_FEW if row["children"] is None else f"{row['children']:,}",
        percent(row["share_of_children"]),
        TOO_FEW if share is None else percent(share),
        *(rate(name, of, digits) for name, _, of, digits in RATES),
    )


def _proxies(evidence: Evidence) -> Section:
    found = [one for one in evidence.checks("fairness") if one["name"].startswith("proxies_of_")]
    rows = tuple(
        (
            title(check["name"].removeprefix("proxies_of_")),
            str(row["group"]),
            interval(row["auroc"]),
            ", ".join(one["signal"] for one in row["signals"]),
        )
        for check in found
        for row in check["table"]
    )
    told = Table("How well the inputs tell a group", ("of", "group", "AUROC", "most by"), rows)
    return section(
        "Do inputs stand for a group?",
        "0.5 is no better than a coin; near 1 the inputs would give the group away.",
        told if rows else "Not measured, or too few children of any group.",
    )


def _lines(evidence: Evidence) -> Section:
    found = [one for one in evidence.checks("fairness") if one["name"].startswith("cost_of_lines")]
    return section(
        "What a line for each group would cost",
        "One line holds for all. This is what lines by group, at the same capacity, would do.",
        sentences("Cost of lines by group", found),
    )

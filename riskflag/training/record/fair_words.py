"""The fairness page of a run, in words for somebody who answers for it and builds no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.training.figures.checks import FAIRNESS, FAULT, FINE, LOOK, NOT_KNOWN
from riskflag.training.record.page import bar, in_words, page, table, tag, text

Found = Mapping[str, Any]

INTRO = (
    "<p>The list brings children's records to a person's attention. This page asks whether it "
    "serves one group as well as another: whom it misses, whom it lists for nothing, and whether "
    "its level is right. It is about the test months, with as many children a month as the team "
    "can look at.</p>"
    "<p><b>Missed</b>: of 100 child-months that were followed by the outcome, how many were not on "
    "the list. A list as long as a team can work misses most in every group; what matters is "
    "whether it misses one group more. <b>Listed for nothing</b>: of 1,000 child-months without "
    "the outcome, how many were listed. <b>Level</b>: what was foretold divided by what came; 1 is "
    "right, below 1 the group's risk is told too low.</p>"
    "<p>In brackets stands the range in which the figure would lie for 95 of 100 boroughs like "
    "this one. Groups of fewer than ten children are told together, and nothing is told that "
    "rests on fewer than ten. With many groups some differ by chance: a gap is called clear only "
    "when it is wider than the widest of so many chance gaps.</p>"
)
LIMITS = (
    "<h2>What this page cannot tell</h2><ul>"
    "<li>The outcome is what agencies recorded. A group about which less is reported can be missed "
    "by the agencies and by this page alike.</li>"
    "<li>No protected characteristic but age is an input, and training refuses one. That does not "
    "make a score fair: see above what stands for a group.</li>"
    "<li>What is not recorded is a group of its own: it may hide any other.</li>"
    "<li>Groups and thresholds are for people to decide on, with legal advice. Nothing here "
    "changes the list.</li></ul>"
)


def fairness_page(title: str, checks: Sequence[Found]) -> str:
    """The whole page from a run's checks; those of other parts are left out."""
    mine = [one for one in checks if one["part"] == FAIRNESS]
    parts = [INTRO, _short(mine)]
    kinds = [one["name"].removeprefix("missed_cases_by_") for one in mine if _is_kind(one)]
    parts += [_kind(kind, mine) for kind in kinds]
    parts += [_proxies(mine), _costs(mine), LIMITS]
    return page(title, parts)


def _is_kind(one: Found) -> bool:
    return str(one["name"]).startswith("missed_cases_by_")


def _short(checks: Sequence[Found]) -> str:
    """What has to be looked at, before everything else."""
    bad = [one for one in checks if one["verdict"] in (FAULT, LOOK)]
    unknown = sum(one["verdict"] == NOT_KNOWN for one in checks)
    fine = sum(one["verdict"] == FINE for one in checks)
    told = "".join(f"<li>{tag(one['verdict'])} {text(one['sentence'])}</li>" for one in bad)
    lead = (
        f"<p>{len(bad)} of {len(checks)} checks ask for a look before the model is used; {fine} "
        f"found nothing; {unknown} could not be made because too few children were in a group.</p>"
    )
    return f'<h2>In short</h2>{lead}<ul class="checks">{told}</ul>'


def _kind(kind: str, checks: Sequence[Found]) -> str:
    """The table of one kind of group and what was found of it."""
    own = [one for one in checks if one["name"].endswith(f"_by_{kind}")]
    own = [one for one in own if not one["name"].startswith("cost_")]
    rows = next((one["table"] for one in own if _is_kind(one)), ())
    words = kind.replace("_", " ")
    told = "".join(f"<li>{tag(one['verdict'])} {text(one['sentence'])}</li>" for one in own)
    headings = (
        "Group", "Children", "Share of children", "Share of the list", "Missed, of 100",
        "Listed for nothing, of 1,000", "Of 100 listed had the outcome", "Level",
    )  # fmt: skip
    cells = [
        (
            text(row["group"]),
            "fewer than 10" if row["children"] is None else f"{row['children']:,}",
            f"{row['share_of_children']:.0%}",
            "too few to tell" if row["share_of_list"] is None else f"{row['share_of_list']:.0%}",
            f"{bar(row['missed'])} {in_words(row['missed'], 100)}",
            in_words(row["false_alarms"], 1000, 1),
            in_words(row["precision"], 100),
            in_words(row["foretold_over_observed"], 1, 2),
        )
        for row in rows
    ]
    return (
        f'<h2>By {text(words)}</h2><ul class="checks">{told}</ul>'
        f"{table(f'Errors by {words}', headings, cells)}"
    )


def _proxies(checks: Sequence[Found]) -> str:
    """What stands for a group."""
    own = [one for one in checks if one["name"].startswith("proxies_of_")]
    if not own:
        return ""
    told = "".join(f"<li>{tag(one['verdict'])} {text(one['sentence'])}</li>" for one in own)
    rows = [
        (
            text(f"{row['group']} ({one['name'].removeprefix('proxies_of_').replace('_', ' ')})"),
            f"{bar(row['auroc'])} {in_words(row['auroc'], 1, 2)}",
            text(", ".join(f"{s['signal']} ({s['auroc']:.2f})" for s in row["signals"])),
        )
        for one in own
        for row in one["table"]
    ]
    return (
        "<h2>What stands for a group</h2><p>A small model was asked to tell each group from the "
        "very signals the score is made of, on families it had not seen. 0.5 is a coin, 1 is "
        "certainty. Where it can tell a group, the score could treat that group differently "
        f'without being told of it.</p><ul class="checks">{told}</ul>'
        + table("How well the inputs tell each group", ("Group", "Told apart", "Most by"), rows)
    )


def _costs(checks: Sequence[Found]) -> str:
    """What lines by group would cost."""
    own = [one for one in checks if one["name"].startswith("cost_of_lines_by_")]
    if not own:
        return ""
    parts = ["<h2>What a line of its own for every group would cost</h2>"]
    for one in own:
        parts.append(f"<p>{text(one['sentence'])}</p>")
        rows = [
            (
                text(row["group"]),
                f"{row['listed_a_month']:.0f}",
                f"{row['with_lines_by_group']:.0f}",
                f"{100 * row['found_now']:.0f}",
                f"{100 * row['found_then']:.0f}",
            )
            for row in one["table"]
        ]
        if rows:
            kind = one["name"].removeprefix("cost_of_lines_by_").replace("_", " ")
            headings = (
                "Group", "Listed a month now", "With lines by group", "Found now, of 100",
                "Found then, of 100",
            )  # fmt: skip
            parts.append(table(f"Lines by {kind}", headings, rows))
    return "".join(parts)

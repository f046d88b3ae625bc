"""The variable list and the data sheet: what the model sees, and what it learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskflag.reports import words
from riskflag.reports.documents import Document, Points, Section, Table, section
from riskflag.reports.governance_words import (
    NOT_KNOWN,
    interval,
    outcome,
    percent,
    sentences,
)
from riskflag.signals import Signal, definition
from riskflag.training.data.inputs import agencies_of
from riskflag.training.promotion.governance import Evidence

DIRECTIONS = {
    "raises": "more can only raise the score",
    "lowers": "more can only lower the score",
    "none": "either way",
}
CHANGED = "defined otherwise since; see the bundle's fingerprint"


def variables(evidence: Evidence) -> Document:
    """Every signal: its question, how it is worked out, from what, which way, how much."""
    shares = evidence.shares
    ordered = sorted(evidence.inputs, key=lambda one: (-shares.get(one["name"], 0.0), one["name"]))
    rows = tuple(_variable(one, evidence.signals.get(one["name"]), shares) for one in ordered)
    words_of = ("signal", "question", "how, from which kinds of contact")
    heads = (*words_of, "held by", "theme", "direction", "share of the scores")
    used = sum(share > 0 for share in shares.values())
    return Document(
        "variables",
        "Variable list",
        f"All {len(evidence.inputs)} signals that the model {evidence.id} may see; {used} of them "
        "move a score. Nothing else about a child enters it.",
        (
            section(
                "Signals that are inputs",
                "The share is that of all contributions, for and against, over test rows. A signal "
                "of which none was needed has 0.0%.",
                Table("Inputs, the largest share first", heads, rows),
            ),
            section("Shares by theme", _themes(evidence)),
            section(
                "Signals that are kept out",
                "The outcome itself and protected characteristics are never inputs. Age is one, "
                "because the youngest children are at the greatest risk.",
                Table(
                    "Kept out",
                    ("signal", "why"),
                    tuple((one["name"], one["reason"]) for one in evidence.excluded)
                    or (("none", "the catalogue has no such signal"),),
                ),
            ),
        ),
    )


def _variable(
    one: Mapping[str, Any], signal: Signal | None, shares: Mapping[str, float]
) -> tuple[str, ...]:
    strength = "; a strength" if signal is not None and signal.protective else ""
    return (
        one["name"],
        one["question"],
        CHANGED if signal is None else definition(signal),
        NOT_KNOWN if signal is None else _sources(signal),
        words.plain(one["theme"]),
        DIRECTIONS[one["direction"]] + strength,
        percent(shares.get(one["name"])),
    )


def _sources(signal: Signal) -> str:
    """Who holds the kinds of contact that a signal reads."""
    held = words.listed(words.agency(agency) for agency in sorted(agencies_of(signal)))
    return held or "the date of birth"


def _themes(evidence: Evidence) -> Table:
    totals: dict[str, list[float]] = {}
    for one in evidence.inputs:
        totals.setdefault(one["theme"], []).append(evidence.shares.get(one["name"], 0.0))
    ranked = sorted(totals.items(), key=lambda item: (-sum(item[1]), item[0]))
    rows = tuple((words.plain(t), str(len(s)), percent(sum(s))) for t, s in ranked)
    return Table("Themes", ("theme", "signals", "share of the scores"), rows)


def data_sheet(evidence: Evidence) -> Document:
    """From when, on whom and from what the model learnt, and what is known of that data."""
    about = evidence.about
    return Document(
        "data-sheet",
        "Data sheet",
        f"What the model {evidence.id} learnt from and was judged on.",
        (
            section(
                "The question of the data",
                outcome(about),
                "One row is one child on the first day of a month"
                + (", or as the authority's table says." if about.get("labelled_table") else ".")
                + " Everything in a row was known before that day; a record that came later "
                "counts only from when it came.",
            ),
            _windows(about["windows"]),
            _amounts(evidence),
            section("Where it comes from", *_feeds(evidence)),
            section("How good it is", sentences("Checks of the data", _of_data(evidence))),
            section(
                "What people have to add",
                "A person has to say under which agreements the agencies share these records, how "
                "long they are kept, and who may see them: riskflag does not know. The data check "
                "(`riskflag check`) tells how complete and how late each feed is today.",
            ),
        ),
    )


def _windows(windows: Mapping[str, str]) -> Section:
    rows = (
        ("train", windows["train"], "the trees learn"),
        ("calibration", windows["calibration"], "score to probability"),
        ("test", windows["test"], "every figure of this pack"),
    )
    caption = "Months of each window; between two of them lies the whole horizon"
    return section("Windows", Table(caption, ("window", "months", "what for"), rows))


def _amounts(evidence: Evidence) -> Section:
    learnt, result = evidence.performance["learnt_from"], evidence.result
    told = (
        f"Training: {learnt['rows']:,} child-months, {learnt['outcomes']:,} with the outcome; "
        f"{learnt['rows_used']:,} were used, the others weighted in.",
        f"Test: {result['rows']:,} child-months of {result['children']:,} children, "
        f"{result['outcomes']:,} with the outcome ({result['children_with_outcome']:,} children).",
        f"The data was cut on {words.day(evidence.about['cut'])}.",
    )
    return section("How much", Points(told), _months(result))


def _months(result: Mapping[str, Any]) -> Table:
    rows = tuple(
        (words.day(one["as_of"]), f"{one['rows']:,}", f"{one['outcomes']:,}")
        for one in result["months"]
    )
    return Table("Test months", ("as of", "children", "with the outcome"), rows)


def _feeds(evidence: Evidence) -> tuple[str | Table, ...]:
    counted: dict[str, set[str]] = {}
    for name, signal in evidence.signals.items():
        for kind in signal.types:
            counted.setdefault(kind, set()).add(name)
    rows = tuple(
        (kind, words.type_label(kind), str(len(names))) for kind, names in sorted(counted.items())
    )
    lost = evidence.check("feed_outage")
    told: list[str | Table] = [
        Table("Kinds of contact that signals read", ("kind", "what it is", "signals"), rows)
    ]
    if lost is not None and lost["table"]:
        told.append(_without(lost["table"]))
    return tuple(told)


def _without(rows: Any) -> Table:
    told = tuple(
        (
            words.plain(str(row["feed"])),
            str(row["signals"]),
            interval(row["auroc_change"], 3),
            percent(row["found_kept"]),
        )
        for row in rows
    )
    heads = ("feed", "signals", "change of AUROC", "outcomes still found at capacity")
    return Table("Were one feed lost", heads, told)


def _of_data(evidence: Evidence) -> list[Mapping[str, Any]]:
    named = (
        "rows_on_assumed_known_on",
        "known_on_audit",
        "base_rate_by_month",
        "outcomes_by_month",
        "outcome_drift",
        "outcomes_after_our_own_flag",
    )
    found = (evidence.check(name) for name in named)
    return [one for one in found if one is not None]

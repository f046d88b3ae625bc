"""What every flag of a night must keep: numbers, reasons, words and bytes; each on many flags."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from riskflag.casework.publishing import State
from riskflag.nightly.build import build
from riskflag.nightly.flag_lines import FlagsById
from riskflag.nightly.inputs import load
from riskflag.reports import render_flag, view
from riskflag.reports.lint import LONGEST, banned_words, long_sentences, visible_text
from riskflag.reports.words import SMALL
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals.catalogue import Catalogue, load_catalogue
from riskflag.workspace import Workspace
from tests.functional.recounting import Recount

Flag = dict[str, Any]

#: A night that begins with nothing: no open flag, no review, no number given.
FIRST_NIGHT = State(None, (), (), 0, 0)


@dataclasses.dataclass(frozen=True)
class Nights:
    """Flags of one or more nights of a workspace, and the words they were made with."""

    flags: Sequence[Flag]
    catalogue: Catalogue
    rulebook: Rulebook


def nights(workspace: Workspace, days: Sequence[dt.date], *, capacity: int = 15) -> Nights:
    """The flags of some days, each as if it were the first night, with so much capacity."""
    flags: list[Flag] = []
    for day in days:
        inputs = load(workspace, day)
        settings = inputs.settings.model_copy(update={"capacity_per_week": capacity})
        made = build(
            dataclasses.replace(inputs, settings=settings), FIRST_NIGHT, lambda: FlagsById({})
        )
        # Numbers begin again with each first night; the day makes them differ.
        flags += [{**f, "flag_id": f"{f['flag_id']}-{day:%m%d}"} for f in made.flags]
    catalogue = load_catalogue(workspace.features_dir)
    return Nights(flags, catalogue, Rulebook.load(catalogue.rulebook_path, catalogue))


def numbers_differ(of: Nights) -> tuple[list[str], Counter[str]]:
    """Flags whose page is another when every number is counted again, and what was counted."""
    wrong, tally = [], Counter[str]()
    for flag in of.flags:
        recount = Recount(flag, of.catalogue, of.rulebook)
        again = recount.again()
        tally += recount.tally
        if again != flag or render_flag(view(again)) != render_flag(view(flag)):
            wrong.append(flag["flag_id"])
    return wrong, tally


def sentences_differ(of: Nights) -> tuple[list[str], int]:
    """Sentences whose numbers, read off the text, are not those of the listed contacts."""
    wrong, read = [], 0
    for flag in of.flags:
        page = view(flag)
        for where, text, expected in _told(flag, page):
            read += 1
            if counts_in(text)[: len(expected)] != expected:
                wrong.append(f"{flag['flag_id']} {where}: {text!r} is not {expected}")
    return wrong, read


def _told(flag: Flag, page: Any) -> list[tuple[str, str, list[int]]]:
    """Sentences with the counts they must begin with, from the listed contacts alone."""
    contacts = {c["contact_key"]: c for c in flag["contacts"]}
    found = []
    pattern = [c for c in contacts.values() if c["in_pattern"]]
    if pattern:
        found.append(("why", page.why, [len(pattern), len({c["agency"] for c in pattern})]))
    new = sum(c["new"] for c in contacts.values())
    if new:
        lead = page.news.lead.split(". ", 1)[1]
        found.append(("news", lead, [new]))
    for reason, card in zip(flag["reasons"], page.patterns, strict=False):
        behind = [contacts[key] for key in reason["contact_keys"]]
        if behind:
            found.append((card.anchor, card.evidence, [len(behind)]))
    for one, better in zip(flag["improvement"], page.better, strict=True):
        if one["kind"] == "run_over":
            found.append(("better", better.said, [len(one["contact_keys"])]))
    for lane in page.timeline.lanes if page.timeline else ():
        held = [c for c in contacts.values() if lane.label.startswith(_agency(c))]
        found.append(("lane", lane.label, [len(held)] if held else []))
    return found


def _agency(contact: Flag) -> str:
    from riskflag.reports.words import agency

    return agency(contact["agency"]) + ":"


def counts_in(text: str) -> list[int]:
    """Counts in a text, in words or digits, dates left out."""
    text = re.sub(r"\d{1,2} [A-Z][a-z]+( \d{4})?", "", text)
    word = "|".join(SMALL[1:])
    found = re.findall(rf"\b({word}|\d[\d,]*)\b", text.lower())
    return [SMALL.index(f) if f in SMALL else int(f.replace(",", "")) for f in found]


def unresolved(of: Nights) -> list[str]:
    """Reasons that do not lead to their records, and pairs that rest on the same ones."""
    wrong = []
    for flag in of.flags:
        html, page = render_flag(view(flag)), view(flag)
        listed = {c["contact_key"] for c in flag["contacts"]}
        sets = [frozenset(r["contact_keys"]) for r in flag["reasons"] if r["contact_keys"]]
        if len(sets) != len(set(sets)):
            wrong.append(f"{flag['flag_id']}: two reasons rest on the same records")
        for reason, card in zip(flag["reasons"], page.patterns, strict=False):
            absent = "not recorded, so no record stands behind it" in card.evidence
            if not set(reason["contact_keys"]) <= listed or reason["rests_on_absence"] != absent:
                wrong.append(f"{flag['flag_id']} {reason['reason_id']}")
            # The longest chronologies leave records out of the file, and the card says how many.
            whole = card.records.total == len(reason["contact_keys"])
            left_out = card.records.unlisted > page.records.omitted
            if left_out or not whole or not (absent or card.records.linked):
                wrong.append(f"{flag['flag_id']} {reason['reason_id']}: not on the page")
            if any(f'id="r{number}"' not in html for number in card.records.linked):
                wrong.append(f"{flag['flag_id']} {reason['reason_id']}: a link leads nowhere")
    return wrong


def bad_words(of: Nights) -> list[str]:
    """Banned words and long sentences on any page."""
    wrong = []
    for flag in of.flags:
        read = visible_text(render_flag(view(flag)))
        wrong += [f"{flag['flag_id']}: {word}" for word in banned_words("\n".join(read))]
        wrong += [f"{flag['flag_id']}: {sentence}" for sentence in long_sentences(read, LONGEST)]
    return wrong


RENDER = """
import hashlib, json, sys
from riskflag.reports import render_flag, view
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        print(hashlib.sha256(render_flag(view(json.loads(line))).encode()).hexdigest())
"""


def pages_in_another_process(flags: Sequence[Flag], folder: Path, seed: str) -> list[str]:
    """The hash of every page, made by a process of its own with this PYTHONHASHSEED."""
    file = folder / "flags.jsonl"
    file.write_text("\n".join(json.dumps(flag) for flag in flags), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", RENDER, str(file)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


def page_hash(flag: Flag) -> str:
    """The hash of one page."""
    return hashlib.sha256(render_flag(view(flag)).encode()).hexdigest()

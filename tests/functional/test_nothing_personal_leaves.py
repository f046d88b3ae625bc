"""Canaries in every column of a delivery: they reach the flag and its page, and nothing else.

Screens, logs, reports and manifests are read, mailed and kept by people who may not see the
records, so no name, identifier or value from a file may be in them. The history, the quarantine,
`flags.json`, the state and the pages hold records by design, and are readable by their owner only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskflag.workspace import Workspace

SOURCE = """name = "ed"
title = "Attendances"
agency = "ed"

[files]
pattern = "ed*.csv"
date_format = "%d/%m/%Y"

[delivery]
scope = "full"
assumed_lag_days = 1

[[contact]]
type = "missing.episode"
record_id = ["record"]
subject = { column = "nhs", scheme = "nhs" }
occurred = { column = "day" }

[contact.attributes]
category = { fixed = "missing" }
offered = { column = "offered" }

[[contact]]
type = "ed.attendance"
record_id = ["record"]
subject = { column = "nhs", scheme = "nhs" }
occurred = { column = "day" }

[contact.attributes]
organisation = { column = "site" }

[[contact]]
type = "school.absence"
record_id = ["record"]
subject = { column = "nhs", scheme = "nhs" }
occurred = { column = "day" }

[contact.attributes]
quantity = { column = "amount", number = true }

[[person]]
id = { column = "child" }
kind = "child"
birth = { column = "born" }
given_name = { column = "given" }
family_name = { column = "family" }

[[identifier]]
person = { column = "child" }
scheme = "nhs"
value = { column = "nhs" }
"""
HEADER = "record,child,nhs,day,offered,site,worker,amount,born,given,family"
CHILDREN = ("QXPIDA", "QXPIDB", "QXPIDC")
NHS = ("9434765919", "9990000018", "9990000026")
CANARY = re.compile(r"(?i)qx[a-z]{2,}|9434765919|9990000018|9990000026|4[4-6]/02/2026|7777\.25")


def rows() -> list[str]:
    """Three children, each with four episodes; every value is a canary or a day."""
    made = []
    for child, (name, nhs) in enumerate(zip(CHILDREN, NHS, strict=True)):
        for number in range(4):
            day = f"{5 * number + child + 1:02d}/02/2026"
            made.append(
                f"QXREC{child}{number},{name},{nhs},{day},no,QXSITE{child},QXWORKER,7777.25,"
                f"14/05/2011,QXGIVEN{child},QXFAMILY{child}"
            )
    return made


#: One fault a file has, by the place of the faulty column.
FAULTS = {
    "bad day": (3, "44/02/2026"),
    "impossible day": (3, "QXNOTADAY"),
    "bad number": (7, "QXNOTANUMBER"),
    "unmapped code": (4, "QXFREETEXT about a child"),
    "wrong check digit": (2, "9434765918"),
    "bad birth day": (8, "QXBORN"),
    "nul": (5, "QXNUL\0QXNUL"),
    "too many fields": (10, "QXFAMILY,QXEXTRA,QXMORE"),
}


def with_faults() -> str:
    lines = rows()
    for number, (place, value) in enumerate(FAULTS.values()):
        fields = lines[number].split(",")
        fields[0] = f"QXBAD{number}"
        fields[place] = value
        lines.append(",".join(fields))
    return "\n".join([HEADER, *lines]) + "\n"


@dataclass(frozen=True)
class Night:
    """A workspace after all commands, with everything they printed."""

    workspace: Workspace
    printed: str
    codes: dict[str, int]


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> Night:
    """Load with faults, score, look, compare, check and fail in each way, at the noisiest."""
    folder = tmp_path_factory.mktemp("canary")
    place = Workspace.create(folder / "w", "Test Borough")
    (place.sources_dir / "ed.toml").write_text(SOURCE)
    for day, name, text in (
        ("2026-02-26", "ed.csv", "\n".join([HEADER, *rows()]) + "\n"),
        ("2026-02-27", "ed.csv", with_faults()),
        ("2026-02-28", "ed_header.csv", f"QXHEADER,{HEADER}\n" + "\n".join(rows())),
        ("2026-02-28", "ed_latin.csv", "QXPÉ"),
        ("2026-02-28", "ed_quote.csv", f'{HEADER}\nQX,QXID,"QXQUOTE\n'),
    ):
        (place.landing / day).mkdir(exist_ok=True)
        (place.landing / day / name).write_bytes(text.encode("latin-1"))
    printed, codes = [], {}
    for words in (
        ["ingest", "--dry-run"],
        ["ingest"],
        ["ingest", "--json"],
        ["score", "--as-of", "2026-02-27"],
        ["score", "--as-of", "2026-03-01"],
        ["score", "--as-of", "2026-03-01"],
        ["score", "--as-of", "2026-02-01"],
        ["explain", "F-2026-000001", "--out", "flag.html"],
        ["explain", "F-2026-000001", "--analyst", "--out", "analyst.html"],
        ["explain", "F-2026-999999"],
        ["reproduce", "F-2026-000001"],
        ["train", "borough"],
        ["verify"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "riskflag", *words, "--workspace", "w"],
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "300"},
            capture_output=True,
            text=True,
            check=False,
        )
        printed.append(f"$ {' '.join(words)}\n{ran.stdout}{ran.stderr}")
        codes.setdefault(" ".join(words), ran.returncode)
    return Night(place, "\n".join(printed), codes)


def found_in(text: str) -> list[str]:
    return [text[max(0, m.start() - 60) : m.end() + 10] for m in CANARY.finditer(text)]


def test_the_canaries_reach_the_flags(night):
    """The negative control: the night saw these records, and the check finds them."""
    print(night.printed)
    assert night.codes["ingest"] == 0
    assert night.codes["score --as-of 2026-03-01"] in (0, 10)
    assert night.codes["reproduce F-2026-000001"] == 0
    [flags] = night.workspace.publications.glob("2026-03-01-*/flags.json")
    text = flags.read_text()
    for child in CHILDREN:
        assert child in text
    assert found_in(text)


def test_each_fault_was_met(night):
    """Every planted fault is told by its reason; otherwise this file would test little."""
    for reason in ("bad_date", "bad_number", "unmapped_code", "nul", "field_count"):
        assert reason in night.printed, reason
    assert "ed_header.csv" in night.printed
    assert "ed_latin.csv" in night.printed
    assert "ed_quote.csv" in night.printed


def test_no_canary_is_printed(night):
    """Neither output nor error stream of any command, with Python's own warnings on."""
    assert "$ ingest" in night.printed
    assert "Traceback" not in night.printed
    assert "defect in riskflag" not in night.printed
    assert found_in(night.printed) == []


@pytest.mark.parametrize(
    "pattern",
    ["reports/*", "publications/*/manifest.json", "publications/*.jsonl", "history/batches.jsonl"],
)
def test_no_canary_is_in_what_is_kept_about_a_run(night, pattern):
    """Load reports, manifests, anchors, the ledger of batches."""
    files = sorted(night.workspace.root.glob(pattern))
    assert files, f"nothing matches {pattern}"
    for path in files:
        assert found_in(path.read_text()) == [], path.name


def test_no_canary_is_in_a_name(night):
    """File and folder names, and with them addresses, hold no value."""
    names = [p.relative_to(night.workspace.root).as_posix() for p in tree(night.workspace.root)]
    assert len(names) > 20
    assert found_in("\n".join(names)) == []


def test_nothing_is_left_in_mlruns_by_a_training_that_failed(night):
    """A refused training records nothing about the children it read."""
    files = [path for path in tree(night.workspace.root / "mlruns") if path.is_file()]
    for path in files:
        raw = path.read_bytes().decode("latin-1")
        assert found_in(raw) == [], path.name
    assert night.codes["train borough"] in (30, 40)


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))

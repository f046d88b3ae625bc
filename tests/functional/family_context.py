"""Two agencies' extracts that share no identifier (../shared/data/sf-family-context-sample)."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from pathlib import Path

from riskflag.history.loading.addresses import plain_name
from riskflag.history.loading.ingest import ingest
from riskflag.workspace import Workspace

LANDED = dt.date(2022, 10, 15)

HEAD = """
title = "{title}"
agency = "{agency}"

[files]
pattern = "{file}.csv"

[[person]]
id = {{ column = "Cms Id", scheme = "{scheme}" }}
{linkage}
birth = {{ column = "Date Of Birth" }}
given_name = {{ column = "First Name" }}
family_name = {{ column = "Last Name" }}
sex = {{ column = "Gender", map = "sex" }}
address = "Address"

[[contact]]
type = "{type}"
record_id = []
subject = {{ column = "Cms Id", scheme = "{scheme}" }}
occurred = {{ column = "Date Of Most Recent Interaction" }}

[maps.sex]
"Female" = "female"
"Male" = "male"
"Other" = ""
"""


def declare(workspace: Workspace) -> None:
    """Social care names people by its own id; the schools' ids nobody else knows."""
    social = {
        "title": "Social care",
        "agency": "social_care",
        "file": "csc",
        "scheme": "person",
        "linkage": 'kind = "child"',
        "type": "care.contact",
    }
    school = {
        "title": "Schools",
        "agency": "school",
        "file": "education",
        "scheme": "school_ref",
        "linkage": "linkage = true",
        "type": "school.concern",
    }
    for name, said in (("csc", social), ("education", school)):
        text = f'name = "{name}"' + HEAD.format(**said)
        (workspace.sources_dir / f"{name}.toml").write_text(text, encoding="utf-8")


def load(folder: Path, data: Path) -> Workspace:
    """A workspace with both extracts in its history."""
    workspace = Workspace.create(folder, "Test")
    declare(workspace)
    landing = workspace.landing / LANDED.isoformat()
    landing.mkdir()
    for name in ("csc", "education"):
        shutil.copy(data / f"{name}.csv", landing)
    ingest(workspace)
    return workspace


def rows(data: Path, name: str) -> list[dict[str, str]]:
    with (data / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def agree(one: dict[str, str], other: dict[str, str], *names: str) -> bool:
    """Whether two rows hold the same in these columns, names compared without case and marks."""
    return all(
        plain_name(one[name]) == plain_name(other[name])
        if name.endswith("Name")
        else one[name] == other[name]
        for name in names
    )

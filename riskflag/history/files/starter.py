"""A source to start from, filled in as far as a file's columns tell; what is guessed says CHECK."""

from __future__ import annotations

import json
import re
from pathlib import Path

from riskflag.errors import ConfigError
from riskflag.history.files.delivered import RejectedError, read_bytes
from riskflag.history.files.looks import Looks, look_at
from riskflag.history.files.recognise import plain
from riskflag.history.store.ledger import write_atomic
from riskflag.workspace import Workspace

#: What a kind of column is usually called, plain (see `plain`), as regular expressions.
_PERSON = (
    r"(child|person|client|pupil|student|patient|subject|individual|service ?user|learner)?"
    r"(unique)?(id|ref|reference|number|no|identifier)|child|upn|nhs(no|number)?|.*upn|.*nhsnumber"
    r"|(la)?child(unique)?id|(cms|mosaic|swift|ics|lcs)(id|no|number)|nominalref|enrolmentid"
)
_SCHEMES = {"upn": "upn", "nhs": "nhs", "nominal": "police_ref"}
_RECORD = r".*(id|ref|reference|number|no|key|identifier)"
_BIRTH = r".*(birth|dob).*"
_END = r".*(end|ended|closed|closure|found|ceased|returned|finish|until|exit|discharge).*"
_ADDED = r".*(added|recorded|created|entered|shared|logged|extract|received|known).*"
_OTHER_DAY = rf"{_BIRTH}|{_END}|{_ADDED}|.*(death|updated|changed|review|due|coverage).*"
#: Words in the name of a file or of its columns, and the kind of record they point to.
_KINDS = (
    ("missing", "missing.episode"),
    ("bully", "school.bullying"),
    ("exclusion|suspension", "school.suspension"),
    ("attendance|absence", "school.absence"),
    ("concern|cpoms|safeguard", "school.concern"),
    ("emergency|ambulance|triage", "ed.attendance"),
    ("appointment|outpatient|clinic", "health.appointment"),
    ("referral", "care.referral"),
    ("visit", "care.visit"),
    ("police|notice|ppn|merlin", "police.child_concern"),
    ("homeless|housing|tenan", "housing.duty"),
    ("earlyhelp", "early_help.episode"),
)
_AGENCIES = {
    "missing": "social_care",
    "care": "social_care",
    "school": "school",
    "ed": "ed",
    "health": "community_health",
    "police": "police",
    "housing": "housing",
    "early_help": "early_help",
}


def write_starter(workspace: Workspace, name: str, unclaimed: tuple[str, ...]) -> Path:
    """Write `sources/NAME.toml` for the one file that no source takes; the path of the source.

    Raises ConfigError for a name that cannot be used or is taken, and when there is not one file.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ConfigError(
            "A source's name has small letters, digits and underscores; choose such a one."
        )
    path = workspace.sources_dir / f"{name}.toml"
    if path.exists():
        raise ConfigError(f"{path} is there already; choose another name or remove it.")
    if len(unclaimed) != 1:
        many = "no file" if not unclaimed else f"{len(unclaimed)} files"
        raise ConfigError(
            f"landing/ has {many} that no source takes; leave the one to write a source from."
        )
    try:
        data = read_bytes(workspace.landing / unclaimed[0])
    except RejectedError as refusal:
        raise ConfigError(str(refusal)) from None
    text = starter(look_at(data, unclaimed[0]), name)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, text.encode("utf-8"))
    return path


def starter(looks: Looks, name: str) -> str:
    """The text of `sources/NAME.toml` for a table; ConfigError when it has no named columns."""
    if looks.form not in ("csv", "parquet") or not looks.header or not looks.columns:
        raise ConfigError(
            f"{looks.name} has no header that columns could be taken from; "
            "copy a source with `riskflag sources --add` and change it."
        )
    person = _first(looks, _PERSON) or looks.columns[0]
    days = [column for column in looks.days if column != person]
    occurred = next((c for c in days if not _is(c, _OTHER_DAY)), "")
    occurred = occurred or next((c for c in days if not _is(c, _BIRTH)), "")
    sure = bool(occurred)
    occurred = occurred or next(c for c in (*looks.columns[1:], *looks.columns) if c != person)
    kind = _kind(looks)
    lines = [
        *_head(looks, name, kind),
        *_contact(looks, kind, person, occurred, sure=sure),
        *_rest(looks, person, occurred),
    ]
    return "\n".join(lines) + "\n"


def _head(looks: Looks, name: str, kind: str) -> list[str]:
    pattern = re.sub(r"[0-9][0-9_.\-]*", "*", looks.name.rpartition("/")[2])
    pattern = re.sub(r"\*+(?=csv$|parquet$)", "*.", pattern)
    written = looks.date_format or "%Y-%m-%d"
    agency = _AGENCIES[kind.partition(".")[0]]
    guessed = "" if looks.date_format else "       # CHECK: no column holds only days"
    lines = [
        "# Written from the columns of a file. Lines with CHECK are guesses: read them, change",
        "# them, and try `riskflag ingest --dry-run`. All that may stand here is told in the docs,",
        "# Describing a source.",
        "",
        f"name = {_q(name)}",
        f"title = {_q(name.replace('_', ' ').capitalize())}    # CHECK: what this list is called",
        f"agency = {_q(agency)}          # CHECK: who holds the record",
        'owner = ""',
        'basis = "Name the sharing agreement here before real use"',
        "",
        "[files]",
        f"pattern = {_q(pattern)}",
        f'format = "{looks.form}"',
        f"date_format = {_q(written)}{guessed}",
    ]
    if looks.form == "csv":
        lines += [f'encoding = "{looks.encoding}"', f"delimiter = {_q(looks.delimiter)}"]
    return [
        *lines,
        "",
        "[delivery]",
        'scope = "delta"              # CHECK: "full" when each file holds everything',
        "fresh_days = 8",
        "tolerance_days = 15",
        "assumed_lag_days = 1",
    ]


def _contact(looks: Looks, kind: str, person: str, occurred: str, *, sure: bool) -> list[str]:
    record = next(
        (c for c in looks.columns if c in looks.unique and c != person and _is(c, _RECORD)), ""
    )
    scheme = next((s for word, s in _SCHEMES.items() if word in plain(person)), "")
    known = f', scheme = "{scheme}"' if scheme else ""
    lines = [
        "",
        "[[contact]]",
        f"type = {_q(kind)}         # CHECK: one of the vocabulary",
        f"record_id = [{_q(record) if record else ''}]"
        f"{'' if record else '         # CHECK: no column seems to name a record'}",
        f"subject = {{ column = {_q(person)}{known} }}    # CHECK: whose it is",
        f"occurred = {{ column = {_q(occurred)}{_format(looks, occurred)} }}"
        f"{'' if sure else '    # CHECK: when it happened'}",
    ]
    for key, pattern in (("ended", _END), ("recorded", _ADDED)):
        column = next((c for c in looks.days if c != occurred and _is(c, pattern)), "")
        if column:
            lines.append(f"{key} = {{ column = {_q(column)}{_format(looks, column)} }}")
    return lines


def _rest(looks: Looks, person: str, occurred: str) -> list[str]:
    """The birth date where there is one, and the columns that nothing reads yet."""
    birth = next((c for c in looks.days if _is(c, _BIRTH)), "")
    lines: list[str] = []
    if birth:
        lines = [
            "",
            "[[person]]",
            f"id = {{ column = {_q(person)} }}",
            f"birth = {{ column = {_q(birth)}{_format(looks, birth)} }}",
        ]
        scheme = next((s for word, s in _SCHEMES.items() if word in plain(person)), "")
        if scheme:
            lines[2] = f'id = {{ column = {_q(person)}, scheme = "{scheme}" }}'
    used = "\n".join(_contact(looks, "care.contact", person, occurred, sure=True) + lines)
    idle = [column for column in looks.columns if _q(column) not in used]
    if idle:
        lines += ["", "# Not read so far; what a record says stands under [contact.attributes]:"]
        lines += [f"# {_q(column)}" for column in idle]
    return lines


def _kind(looks: Looks) -> str:
    """The kind of record the file's name, or else its columns, point to."""
    for text in (looks.name.rpartition("/")[2], " ".join(looks.columns)):
        for words, kind in _KINDS:
            if re.search(words, plain(text)):
                return kind
    return "care.contact"


def _first(looks: Looks, pattern: str) -> str:
    return next((column for column in looks.columns if _is(column, pattern)), "")


def _is(column: str, pattern: str) -> bool:
    return re.fullmatch(pattern.replace(" ?", ""), plain(column)) is not None


def _format(looks: Looks, column: str) -> str:
    """The format of a day column, where it is not the file's usual one."""
    written = looks.days.get(column, "")
    return f", format = {_q(written)}" if written and written != looks.date_format else ""


def _q(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text.replace("\x7f", " "), ensure_ascii=False)
